"""Golden values of SimpleNet (arXiv 2303.15140) from its authors' own code: a checkout of DonaldRR/SimpleNet (351a2b8) in
$SIMPLENET, run in float64.

simplenet.safetensors. Its class SimpleNet with 48 numbers a patch and 32 hidden units, whose first weights are drawn as
in models/simplenet/simplenet.c; its training loop over five batches of two images with 6x5 patches, drawn, too
(features()); noise from Philox; ten times the learning rates of the paper and more decay of the discriminator, so that
there is something to see:
  losses          [5, 2] f64   of true and of noisy patches, before each step
  NAME            f64          adaptor.weight, .bias, discriminator.hidden.weight, .hidden.bias, .norm.weight, .norm.bias,
                               .norm.running_mean, .norm.running_var, .head.weight after the last
  map             [96, 64] f32 anomaly map of an image, philox.test_image() of seed 30, by this model on patches of
                               layer2 and layer3 of a ResNet-18 whose weights are drawn as in backbone_golden.py
  score           [1] f64      its score
The authors train adaptor.bias, too. It has no gradient, because the batch norm takes out what it adds; in float64 what
Adam makes of the rounding is below 1e-9 here, so that only the decay moves it.
Needs torch, torchvision, numpy, scipy, tqdm."""
import os
import sys
import types
from pathlib import Path

import numpy as np
import torch

import philox
import safetensors_file
from backbone_golden import MEAN, STD, backbone, fill
from ops_golden import noise_normal

FOLDER = Path(__file__).resolve().parent
LENGTH, HIDDEN, STEPS, BATCH, GRID, SIZE, JUDGED = 48, 32, 5, 2, (6, 5), (96, 64), 30
SEED, FEATURE_SEED = 42, 60
NOISE, MARGIN, DECAY = 0.015, 0.5, 1e-2
NAMES = {"body.block1.0": "hidden", "body.block1.1": "norm", "tail": "head"}


class Logger:
    """Stands in for TensorBoard's writer, keeps the losses."""

    def __init__(self):
        self.logger, self.g_iter, self.losses = self, 0, []

    def add_scalar(self, name, value, _):
        if name == "loss":
            self.losses.append(float(value.detach()))

    def step(self):
        self.g_iter += 1


def original():
    """The authors' module; metrics, plots and TensorBoard, which need more packages, stay out."""
    sys.path.insert(0, os.environ["SIMPLENET"])
    for name, member in (("metrics", None), ("utils", "plot_segmentation_images"),
                         ("torch.utils.tensorboard", "SummaryWriter")):
        sys.modules[name] = types.ModuleType(name)
        if member:
            setattr(sys.modules[name], member, None)
    import simplenet
    return simplenet


def uniform_draw(name, count, fan_in):
    u = philox.uniform(philox.words(SEED, philox.STREAM_PARAMETERS + philox.hash_name(name), 0, count))
    return (2 * u.astype(np.float64) - 1) / np.sqrt(fan_in)


def xavier_draw(name, outputs, inputs):
    stream = philox.STREAM_PARAMETERS + philox.hash_name(name)
    u, v = philox.uniform(philox.words(SEED, stream, 0, outputs * inputs)).astype(np.float64).reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(u + 2.0 ** -24))
    pairs = np.stack([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], 1)
    return np.sqrt(2 / (inputs + outputs)) * pairs.reshape(outputs, inputs)


def set_to(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(parameter.shape))


def set_layer(layer, name):
    set_to(layer.weight, xavier_draw(f"{name}.weight", *layer.weight.shape))
    if layer.bias is not None:
        set_to(layer.bias, uniform_draw(f"{name}.bias", len(layer.bias), layer.weight.shape[1]))


def make_model():
    resnet = backbone("resnet18", "torchvision")
    fill(resnet)
    model = original().SimpleNet(torch.device("cpu"))
    model.load(resnet, ["layer2", "layer3"], torch.device("cpu"), (3, *SIZE), LENGTH, LENGTH, meta_epochs=40,
               gan_epochs=1, noise_std=NOISE, dsc_layers=2, dsc_hidden=HIDDEN, dsc_margin=MARGIN, dsc_lr=2e-3, lr=1e-2,
               pre_proj=1)
    model.logger = Logger()
    model.dsc_opt.param_groups[0]["weight_decay"] = DECAY
    set_layer(model.pre_projection.layers[0], "adaptor")
    set_layer(model.discriminator.body.block1[0], "discriminator.hidden")
    set_layer(model.discriminator.tail, "discriminator.head")
    return model


def features(step):
    """Numbers of a byte each, exact in half precision: [BATCH * patches, LENGTH]."""
    words = philox.words(FEATURE_SEED + step, philox.STREAM_TEST, 0, BATCH * GRID[0] * GRID[1] * LENGTH)
    return torch.from_numpy((words >> 24).astype(np.float64) / 64 - 2).reshape(-1, LENGTH)


def train(model):
    """Its training loop; instead of images and a normal draw it gets drawn features and noise of ours."""
    losses, embed, normal = [], model._embed, torch.normal

    def both(_module, _inputs, scores):
        true, fake = scores.detach().chunk(2)
        losses.append([torch.clip(MARGIN - true, min=0).mean().item(), torch.clip(MARGIN + fake, min=0).mean().item()])

    model._embed = lambda _images, **_: (features(model.logger.g_iter), None)
    torch.normal = lambda _mean, std, shape: noise_normal(torch.zeros(shape), model.logger.g_iter, std, SEED)
    hook = model.discriminator.register_forward_hook(both)
    model._train_discriminator([{"image": torch.zeros(1)}] * STEPS)
    hook.remove()
    model._embed, torch.normal = embed, normal
    assert np.allclose(np.sum(losses, 1), model.logger.losses, rtol=1e-12, atol=0)
    return np.array(losses)


def judge(model):
    pixels = torch.from_numpy(philox.test_image(JUDGED, *SIZE).astype(np.float64)).permute(2, 0, 1)[None]
    embed = model._embed
    model._embed = lambda _images, **_: embed((pixels / 255 - MEAN) / STD)  # not rounded to float32
    scores, masks, _ = model._predict(pixels)
    return masks[0], scores[0]


def main():
    torch.set_default_dtype(torch.float64)
    model = make_model()
    found = {"losses": train(model)}
    heat, score = judge(model)
    found |= {"map": heat.astype(np.float32), "score": np.array([score])}
    adaptor = model.pre_projection.layers[0]
    found |= {f"adaptor.{name}": value.numpy() for name, value in adaptor.state_dict().items()}
    for name, value in model.discriminator.state_dict().items():
        layer, part = name.rsplit(".", 1)
        if part != "num_batches_tracked":
            found[f"discriminator.{NAMES[layer]}.{part}"] = value.numpy()
    path = FOLDER / "simplenet.safetensors"
    safetensors_file.write(path, found, {"made by": "simplenet_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes; losses {found['losses'][0]} to {found['losses'][-1]}, "
          f"score {score:.4g}, map {heat.min():.4g} to {heat.max():.4g}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
