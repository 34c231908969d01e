/* A build without libmosquitto (receivers.mk). */
#include "train/receivers/receivers.h"

EAD_RECEIVER_WITHOUT(ead_receiver_mqtt, "--mqtt", "libmosquitto", "libmosquitto-dev")
