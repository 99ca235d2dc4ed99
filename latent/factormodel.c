#include "factormodel.h"

void lac_factor_model_get_info(const lac_factor_model *model, lac_factor_info *info)
{
    *info = model->info;
}

const char *lac_factor_model_phone(const lac_factor_model *model, uint32_t phone)
{
    return phone < model->info.phones ? model->symbols + (size_t)phone * LAC_PHONE_BYTES : NULL;
}
