/* A build without libcurl (receivers.mk). */
#include "train/receivers/receivers.h"

EAD_RECEIVER_WITHOUT(ead_receiver_webhook, "--webhook", "libcurl", "libcurl4-openssl-dev")
