/* Samples in memory that grow as they come. */
#ifndef LAC_TOOLS_SOUND_H
#define LAC_TOOLS_SOUND_H

#include <stdbool.h>
#include <stddef.h>

typedef struct lac_sound {
    float *pcm; /* [count] */
    size_t count, capacity;
    bool cut; /* there was more than is taken */
} lac_sound;

/* Append: 0, or -1 if memory ran out. */
int lac_sound_add(lac_sound *sound, const float *pcm, size_t count);

/* Harmless on a zeroed struct. */
void lac_sound_free(lac_sound *sound);

#endif
