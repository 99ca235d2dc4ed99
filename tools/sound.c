#include "sound.h"

#include <stdlib.h>
#include <string.h>

int lac_sound_add(lac_sound *s, const float *pcm, size_t count)
{
    if (s->capacity - s->count < count) {
        size_t room = s->capacity + s->capacity / 2 + count;
        float *bigger = realloc(s->pcm, room * sizeof *bigger);

        if (!bigger)
            return -1;
        s->pcm = bigger;
        s->capacity = room;
    }
    memcpy(s->pcm + s->count, pcm, count * sizeof *pcm);
    s->count += count;
    return 0;
}

void lac_sound_free(lac_sound *s)
{
    free(s->pcm);
    *s = (lac_sound){0};
}
