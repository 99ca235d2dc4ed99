/* Everything of liblac. */
#ifndef LAC_LAC_H
#define LAC_LAC_H

#include "lac/activity.h"
#include "lac/batch.h"
#include "lac/decoder.h"
#include "lac/encoder.h"
#include "lac/fit.h"
#include "lac/latents.h"
#include "lac/model.h"
#include "lac/packet.h"
#include "lac/profile.h"
#include "lac/receiver.h"
#include "lac/status.h"
#include "lac/stream.h"
#include "lac/version.h"

#endif
