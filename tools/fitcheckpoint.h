/* Where a `lac fit` stands, in a file from which it can go on. */
#ifndef LAC_TOOLS_FITCHECKPOINT_H
#define LAC_TOOLS_FITCHECKPOINT_H

#include "fitcorpus.h"
#include "inputs.h"

/* What of the inputs is done. */
typedef struct lac_fit_progress {
    uint64_t files;  /* read, the first of the list */
    uint32_t failed; /* of these */
} lac_fit_progress;

/* Write it all to `path`, at once or not at all. 0 or LAC_EXIT_FAILED after a message. */
int lac_fit_checkpoint_save(const char *path, const lac_fit_corpus *corpus, const lac_inputs *inputs,
                            const lac_fit_progress *progress);

/* Go on from `path`: fills corpus->fit, which is the caller's to close, its held rows and *progress; a file that is
 * not there leaves all as it is. 0, or LAC_EXIT_FAILED after a message: damaged, or of another fit than with these
 * settings, this model and these inputs. */
int lac_fit_checkpoint_load(const char *path, lac_fit_corpus *corpus, const lac_fit_settings *settings,
                            const lac_inputs *inputs, lac_fit_progress *progress);

#endif
