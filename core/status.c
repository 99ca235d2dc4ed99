#include "lac/status.h"
#include "lac/version.h"

#define TEXT(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *lac_status_string(int status)
{
    switch (status) {
#define STATUS_CASE(name, value, message) \
    case name:                            \
        return message;
        LAC_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    default:
        return "unknown status";
    }
}

const char *lac_version_string(void)
{
    return VERSION_TEXT(LAC_VERSION_MAJOR, LAC_VERSION_MINOR, LAC_VERSION_PATCH);
}
