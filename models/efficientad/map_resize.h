/* Bilinear resize of one anomaly map to the size of the original image. */
#ifndef EAD_MODELS_MAP_RESIZE_H
#define EAD_MODELS_MAP_RESIZE_H

/* map [height][width] -> out [out_height][out_width], align_corners = false, no antialiasing (as
 * torch.nn.functional.interpolate). All sizes >= 1. Returns the largest value of out. */
float ead_map_resize(const float *map, int height, int width, float *out, int out_height, int out_width);

#endif
