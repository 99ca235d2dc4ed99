/* The strokes of a small sans-serif alphabet, so that pictures need no font library. */
#ifndef LAC_ANALYSIS_LETTERING_H
#define LAC_ANALYSIS_LETTERING_H

/* Strokes of a printable ASCII character, or of '?' for any other: points of two base-36 digits (x, y), joined within a
 * stroke, strokes apart by a space. x to the right from 0; y downwards, capitals from 0 to 12, small letters from 4 to
 * 12, descenders to 16. Static storage. */
const char *lac_lettering_strokes(char character);

/* Units from this character's origin to the next one's. */
int lac_lettering_advance(char character);

#endif
