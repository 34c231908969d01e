/* What so many images can tell, and how many would tell enough: words for who has photographed few. */
#pragma once

#include "train/config/config.h"

/* A warning about `count` validation images, of which the threshold is made by the config: within which bounds they leave
 * its false-alarm rate (Clopper-Pearson, 95 %), and within which 30 would. Empty for enough, or where there is no
 * threshold. */
enum { EAD_COUNT_WARNING = 256 };
void ead_warn_of_validation_images(const EadConfig *config, int count, char text[EAD_COUNT_WARNING]);

/* A warning about `count` training images: with which probability a look that one good part in ten has is in none of them,
 * if they were drawn at random, 0.9^count, and with how many it would be below 1 %. Empty for as many. */
void ead_warn_of_training_images(int count, char text[EAD_COUNT_WARNING]);
