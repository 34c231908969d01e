"""Golden values of the whole networks and of the training step, from reference_model.py in float64.

Weights and images are not stored: philox.py draws them from seeds and the C tests do the same. Weights: seed 7
for all three networks, teacher untrained. Images: philox.test_image, seed as stated, ImageNet normalisation.

maps.safetensors. The map of image 3; teacher statistics and quantiles (0.9, 0.995) over images 3, 4, 5, 6.
PREFIX is small_unpadded_256x256, small_padded_256x256, medium_unpadded_256x256, medium_padded_256x256,
small_unpadded_128x192 (height x width) or small_padded_192x128; h, w is the PDN's output size.
  PREFIX.teacher_mean, .teacher_std   [384] f64   of the teacher's raw output
  PREFIX.quantiles                    [4]   f64   q_a, q_b of the student-teacher map; q_a, q_b of the other
  PREFIX.map_st, .map_ae              [h,w] f32   raw maps
  PREFIX.combined                     [H/4,W/4] f32   every 4th row and column of the combined map, from 0
  PREFIX.score                        [1]   f64   the combined map's maximum
  PREFIX.teacher, .student, .autoencoder  [384], [768], [384] f32   raw outputs of the networks at (h/2, w/2)

steps.safetensors. Four training steps of size small on the same images: training image 3, which is the augmented
image too, penalty image 4; no dropout; teacher statistics over images 3 and 4. PREFIX is unpadded_256x256,
padded_256x256, unpadded_128x128, unpadded_128x128_no_penalty or unpadded_128x128_no_autoencoder (384 student
outputs). NAME is a trainable parameter as in model files.
  PREFIX.losses               [4,5] f64   a row a step, before its update: hard, penalty, ae, stae, total
  PREFIX.teacher_mean, .teacher_std   [384] f64
  PREFIX.gradient.NAME        [7]   f64   gradient of step 1's total loss without weight decay: sum, sum of squares,
                                          the first 4 values and the projection
  PREFIX.parameter.NAME       [3]   f64   after four updates: sum, sum of squares and the projection
The projection, which notices a wrong order of elements, is the sum over i of value i * (2 u - 1), where u is the
uniform number of word i of the parameter's own Philox stream with seed 8. i counts in C's order O,KH,KW,I."""
import time
from pathlib import Path

import numpy as np
import torch

import philox
import reference_model as reference
import safetensors_file

FOLDER = Path(__file__).resolve().parent
WEIGHT_SEED, PROJECTION_SEED, STEPS = 7, 8, 4
MAP_CASES = [("small", False, (256, 256)), ("small", True, (256, 256)), ("medium", False, (256, 256)),
             ("medium", True, (256, 256)), ("small", False, (128, 192)), ("small", True, (192, 128))]
# padded, image size, penalty, autoencoder
STEP_CASES = [(False, (256, 256), True, True), (True, (256, 256), True, True), (False, (128, 128), True, True),
              (False, (128, 128), False, True), (False, (128, 128), True, False)]


def numbers(tensor, dtype=np.float64):
    return tensor.detach().numpy().astype(dtype)


def relative(a, b):
    """Largest difference in units of the largest value."""
    return float((a.double() - b.double()).abs().max() / b.abs().max())


def prepared(size, padded, image_size, dtype, seeds, **options):
    model = reference.EfficientAd(size, padded, image_size, dropout=0.0, **options)
    model = model.initialise(WEIGHT_SEED).to(dtype)
    images = [reference.test_image(seed, image_size, dtype) for seed in seeds]
    model.set_teacher_statistics(images)
    return model, images


def maps_of(size, padded, image_size, dtype):
    model, images = prepared(size, padded, image_size, dtype, seeds=(3, 4, 5, 6))
    model.set_quantiles(images)
    with torch.no_grad():
        map_st, map_ae = model.raw_maps(images[0])
        return model, images[0], map_st, map_ae, model.combined_map(map_st, map_ae)


def map_tensors(prefix, model, image, map_st, map_ae, combined):
    tensors = {"teacher_mean": numbers(model.teacher_mean), "teacher_std": numbers(model.teacher_std),
               "quantiles": numbers(model.quantiles), "score": numbers(combined.max().reshape(1)),
               "map_st": numbers(map_st[0, 0], np.float32), "map_ae": numbers(map_ae[0, 0], np.float32),
               "combined": numbers(combined[0, 0, ::4, ::4], np.float32)}
    row, column = map_st.shape[2] // 2, map_st.shape[3] // 2
    with torch.no_grad():
        for name in ("teacher", "student", "autoencoder"):
            tensors[name] = numbers(getattr(model, name)(image)[0, :, row, column], np.float32)
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def make_maps():
    tensors = {}
    for size, padded, image_size in MAP_CASES:
        prefix = f"{size}_{'padded' if padded else 'unpadded'}_{image_size[0]}x{image_size[1]}"
        double, single = (maps_of(size, padded, image_size, dtype) for dtype in (torch.float64, torch.float32))
        tensors.update(map_tensors(prefix, *double))
        apart = [f"{relative(a, b):.1e}" for a, b in zip(single[2:], double[2:])]
        ranges = [f"{float(m.min()):.4g}..{float(m.max()):.4g}" for m in double[2:]]
        print(f"{prefix}: map_st, map_ae, combined {', '.join(ranges)}; float32 off by {', '.join(apart)}", flush=True)
    return tensors


def digest(name, tensor):
    """Sum, sum of squares, first 4 values, projection: [7]."""
    flat = numbers((tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor).reshape(-1))
    stream = philox.STREAM_PARAMETERS + philox.hash_name(name)
    directions = 2 * philox.uniform(philox.words(PROJECTION_SEED, stream, 0, flat.size)) - 1
    return np.concatenate([[flat.sum(), (flat**2).sum()], flat[:4], [(flat * directions).sum()]])


def run_steps(padded, image_size, penalty, autoencoder, dtype):
    """Returns the model after its steps, the losses [4][5] and the gradients of step 1."""
    model, images = prepared("small", padded, image_size, dtype, seeds=(3, 4), with_autoencoder=autoencoder)
    optimizer, losses, gradients = model.optimizer(), [], {}
    for step in range(STEPS):
        terms = model.losses(images[0], images[0], images[1] if penalty else None)
        optimizer.zero_grad()
        terms["total"].backward()
        if step == 0:
            gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
        optimizer.step()
        losses.append([float(terms[name].detach()) for name in ("hard", "penalty", "ae", "stae", "total")])
    return model, torch.tensor(losses, dtype=torch.float64), gradients


def step_tensors(prefix, model, losses, gradients):
    tensors = {f"{prefix}.losses": numbers(losses), f"{prefix}.teacher_mean": numbers(model.teacher_mean),
               f"{prefix}.teacher_std": numbers(model.teacher_std)}
    parameters = dict(model.named_parameters())
    for name, gradient in gradients.items():
        tensors[f"{prefix}.gradient.{name}"] = digest(name, gradient)
        tensors[f"{prefix}.parameter.{name}"] = digest(name, parameters[name])[[0, 1, 6]]
    return tensors


def make_steps():
    tensors = {}
    for case in STEP_CASES:
        padded, image_size, penalty, autoencoder = case
        prefix = f"{'padded' if padded else 'unpadded'}_{image_size[0]}x{image_size[1]}"
        prefix += ("" if penalty else "_no_penalty") + ("" if autoencoder else "_no_autoencoder")
        double, single = run_steps(*case, torch.float64), run_steps(*case, torch.float32)
        tensors.update(step_tensors(prefix, *double))
        losses = (single[1] - double[1]).abs() / double[1].clamp(min=1e-30)
        gradients = max(relative(single[2][name], gradient) for name, gradient in double[2].items())
        print(f"{prefix}: float32 off by at most {float(losses.max()):.1e} relative in the losses, "
              f"{gradients:.1e} of the largest value in a gradient\n{np.array2string(double[1].numpy(), precision=8)}",
              flush=True)
    return tensors


def main():
    reference.check_parameter_counts()
    for name, make in (("maps", make_maps), ("steps", make_steps)):
        started = time.monotonic()
        metadata = {"generator": "model_golden.py", "weight_seed": WEIGHT_SEED, "torch": torch.__version__}
        safetensors_file.write(FOLDER / f"{name}.safetensors", make(), metadata)
        size = (FOLDER / f"{name}.safetensors").stat().st_size
        print(f"{name}.safetensors: {size} bytes, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
