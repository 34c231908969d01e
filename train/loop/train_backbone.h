/* The backbone that a config names, and the networks that come with the program. */
#pragma once

#include "core/base/paths.h"
#include "models/networks/backbone.h"
#include "train/config/config.h"

/* Where the shipped teacher of that size, "small" or "medium", lies, found from where the program lies: models/weights/ of the
 * source tree, or share/efficientad/ of an installation. Errors: EAD_UNSUPPORTED, saying how to get one. */
EadStatus ead_shipped_teacher(const char *size, EadPath path);

/* Opens model.backbone: a file, or a network by its name: "pdn_small" or "pdn_medium" for a shipped teacher, others from
 * models/backbones/NAME.safetensors; empty: the shipped one that was measured to be the better backbone. Errors: those of ead_backbone_open(), with the key before them. */
EadStatus ead_open_backbone(const EadConfig *config, EadBackbone *out);

/* The same by ead_backbone_open_whole(). */
EadStatus ead_open_whole_backbone(const EadConfig *config, EadBackbone *out);

/* Opens it and finds in it the features that the key `layers` names, by `find`, such as ead_backbone_find_taps(). Errors: those
 * of ead_open_backbone(), and of find with the key before them; *out is empty then. */
EadStatus ead_open_features(const EadConfig *config, EadConfigKeyId layers,
                            EadStatus (*find)(const EadBackbone *backbone, const char *names, EadTaps *out),
                            EadBackbone *out, EadTaps *taps);

/* The number format of the backbone in a model file that a choice of EAD_STORED_CHOICES means. */
EadFileType ead_stored_weights(int choice);

/* EAD_BAD_FILE: a model file or checkpoint, from which a run would go on, has another backbone than the config names. */
EadStatus ead_fail_backbone(const char *path);

/* Adds to config->problems a model.backbone that is not there, or one without the features that the key `layers` names; it
 * is read only where that key is not empty. */
void ead_check_backbone(EadConfig *config, EadConfigKeyId layers);
