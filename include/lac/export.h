/* Symbol visibility: the library is built with hidden visibility, LAC_API marks what it exports. */
#ifndef LAC_EXPORT_H
#define LAC_EXPORT_H

#if defined(__GNUC__)
#define LAC_API __attribute__((visibility("default")))
#else
#define LAC_API
#endif

#endif
