/* What happens to the sound of an output: rooms, noise, lines, another rate. */
#ifndef LAC_TOOLS_SYNTHSOUND_H
#define LAC_TOOLS_SYNTHSOUND_H

#include "record.h"
#include "synthsource.h"

/* Change the sound in place as the record's draw says; sources and what was done go into the record. 0; 1 with the
 * record's reason if a source is not there or damaged; -1 if all must end. */
int lac_synth_simulate(const lac_synth_reader *reader, const lac_plan *plan, lac_record *record, lac_sound *sound);

/* A copy of the sound at another rate, to be freed. 0, or -1 if memory ran out. */
int lac_synth_convert(const lac_sound *sound, uint32_t from, uint32_t to, lac_sound *out);

#endif
