/* Everything of liblac. */
#ifndef LAC_LAC_H
#define LAC_LAC_H

#include "lac/batch.h"
#include "lac/decoder.h"
#include "lac/encoder.h"
#include "lac/model.h"
#include "lac/profile.h"
#include "lac/status.h"
#include "lac/stream.h"
#include "lac/version.h"

#endif
