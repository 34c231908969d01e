"""Golden values of DSR (ECCV 2022) from its authors' own modules: a checkout of VitjanZ/DSR_anomaly_detection (672bfb8) in $DSR,
run in float64.

dsr.safetensors. Codes of 8 numbers, books of 32, U-Nets of width 8, images of 64x64. Parameters are drawn as models/dsr draws them
from seed 5, codes are an eighth of that; images are philox.test_image; ranks and targets are drawn (ranks(), target()).
  codebook.losses      [4, 3] f64   of the training of the codebooks on images 30 and 31: image, commitment, total, before each of
                                    three steps (Adam 2e-3, commitment 0.25, decay 0.99) and after them; averages begin with the
                                    codes as they are, of size 1
  codebook.gradients, codebook.parameters  [P, 8] f64   of each parameter of vq (in the order of the model) numbers 0, n/8, 2n/8, ...
                                    in memory order: before the first step, after the third
  codebook.codes       [2, 8] f64   likewise of codes.lo and codes.hi after the third
  restoring.losses     [4, 5] f64   lo, hi, image, detection, total, likewise (Adam 2e-4)
  restoring.gradients, restoring.parameters    of each parameter of restored
  codes_lo, codes_hi, disturbed_lo, disturbed_hi, restored_lo, restored_hi, object, general   [n] f64   before the first step, in
                                    memory order [N,H,W,C], numbers 0, 37, 74, ...
  refining.losses      [4] f64      likewise (Adam 2e-4), and refining.gradients, refining.parameters
  map                  [64, 64] f32, score [1] f64   of image 32
  perlin               [64, 64] f64   noise of 4 x 8 cells whose directions are drawn
dsr_codebooks.pth: the authors' network of codebooks with these parameters in float32, saved as theirs is.
Needs torch, numpy."""
import os
import sys
import types
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import philox
import safetensors_file

FOLDER = Path(__file__).resolve().parent
SEED, SIDE, BATCH, CHANNELS, CODES, UNET, STEPS, SAMPLES, STRIDE = 5, 64, 2, 8, 32, 8, 3, 8, 37
TRAINED, JUDGED = 30, 32
BEYOND_ENCODER = {"_conv_1": "conv1", "_conv_2": "conv2", "_conv_3": "conv3", "_conv_trans_1": "up1", "_conv_trans_2": "up2"}


def modules():
    """The authors' modules; what they import without needing it here stays out."""
    sys.path.insert(0, os.environ["DSR"])
    torch.FloatTensor = torch.DoubleTensor  # the loss's one-hot weights
    import discrete_model
    import dsr_model
    import loss
    for module in (discrete_model, dsr_model):
        module.Residual.forward = added_to_the_rectified
    return discrete_model, dsr_model, loss


def added_to_the_rectified(self, x):
    """The residual layer without its ReLU in place, which today's PyTorch cannot differentiate behind another ReLU."""
    r = F.relu(x)
    return r + self._block[3](F.relu(self._block[1](r)))


def uniform(name, count):
    return philox.uniform(philox.words(philox.hash_name(name), philox.STREAM_TEST, 0, count))


def in_file_order(values, shape):
    if len(shape) == 4:
        out, inner, height, width = shape
        values = values.reshape(out, height, width, inner).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(values).reshape(shape).astype(np.float64))


def drawn(name, shape, fan_in):
    return in_file_order(philox.parameter(SEED, name, int(np.prod(shape)), fan_in), shape)


def normal(name, shape, deviation):
    count = int(np.prod(shape))
    words = philox.words(SEED, philox.STREAM_PARAMETERS + philox.hash_name(name), 0, count + count % 2)
    u, v = philox.uniform(words).reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(u + 2.0 ** -24))
    pairs = np.stack([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], 1).reshape(-1)[:count]
    return in_file_order((deviation * pairs).astype(np.float32), shape)


def filled(layer, name, small=False):
    """A layer by our name; returns its parameters in our order."""
    with torch.no_grad():
        fan_in = int(np.prod(layer.weight.shape[1:]))
        shape = layer.weight.shape
        layer.weight.copy_(normal(f"{name}.weight", shape, 0.02) if small else drawn(f"{name}.weight", shape, fan_in))
        if layer.bias is not None:
            layer.bias.copy_(drawn(f"{name}.bias", layer.bias.shape, fan_in))
    return [layer.weight] if layer.bias is None else [layer.weight, layer.bias]


def stack(module, name, small=False):
    return [p for i, layer in enumerate(module._layers) for k, index in ((1, 1), (2, 3))
            for p in filled(layer._block[index], f"{name}.stack{i}.conv{k}", small)]


def block(module, name, first=1, small=False):
    """Convolutions at every third place of a block."""
    convs = [layer for layer in module if isinstance(layer, torch.nn.Conv2d)]
    return [p for i, conv in enumerate(convs) for p in filled(conv, f"{name}.conv{i + first}", small)]


def vq(model):
    found = []
    for part, name, layers in (("_encoder_b", "vq.encoder_hi", ("_conv_1", "_conv_2", "_conv_3")),
                               ("_encoder_t", "vq.encoder_lo", ("_conv_1", "_conv_2"))):
        module = getattr(model, part)
        found += [p for layer in layers for p in filled(getattr(module, layer), f"{name}.{BEYOND_ENCODER[layer]}")]
        found += stack(module._residual_stack, name)
    found += filled(model._pre_vq_conv_top, "vq.before_lo") + filled(model._pre_vq_conv_bot, "vq.before_hi")
    found += filled(model.upsample_t, "vq.upsample")
    return found + drawing(model._decoder_b, "vq.decoder")


def drawing(module, name, small=False):
    found = filled(module._conv_1, f"{name}.conv1", small) + stack(module._residual_stack, name, small)
    return found + filled(module._conv_trans_1, f"{name}.up1", small) + filled(module._conv_trans_2, f"{name}.up2", small)


def restricting(module, name):
    encoder, decoder = module.unet.encoder, module.unet.decoder
    found = [p for i in (1, 2, 3) for p in block(getattr(encoder, f"block{i}"), f"{name}.down{i}")]
    for i, (up, pair) in enumerate(((decoder.up2, decoder.db2), (decoder.up3, decoder.db3))):
        found += block(up, f"{name}.up{i + 1}", 0) + block(pair, f"{name}.up{i + 1}")
    return found + filled(decoder.fin_out[0], f"{name}.out")


def object_decoder(module, name):
    found = block(module.block1, f"{name}.down1", small=True) + block(module.block2, f"{name}.down2", small=True)
    found += filled(module.pre_vq_conv, f"{name}.narrow", True)
    found += filled(module.upblock1, f"{name}.widen1", True) + filled(module.upblock2, f"{name}.widen2", True)
    return found + drawing(module, name, True)


def unet(module, name, small=False):
    found = [p for i in (1, 2, 3, 4) for p in block(getattr(module.encoder, f"block{i}"), f"{name}.down{i}", small=small)]
    for i in (1, 2, 3):
        found += block(getattr(module.decoder, f"up{i}"), f"{name}.up{i}", 0, small)
        found += block(getattr(module.decoder, f"db{i}"), f"{name}.up{i}", small=small)
    return found + filled(module.decoder.fin_out[0], f"{name}.out", small)


def networks():
    discrete, dsr, loss = modules()
    n = types.SimpleNamespace(focal=loss.FocalLoss())
    n.vq = discrete.DiscreteLatentModel(CHANNELS, 2, CHANNELS // 2, CODES, CHANNELS, 0.25, 0.99)
    n.lo, n.hi = dsr.SubspaceRestrictionModule(CHANNELS), dsr.SubspaceRestrictionModule(CHANNELS)
    n.object = dsr.ImageReconstructionNetwork(2 * CHANNELS, CHANNELS, 2, CHANNELS // 2)
    n.detect, n.refine = dsr.UnetModel(6, 2, UNET), dsr.UnetModel(8, 2, UNET)
    n.of_vq = vq(n.vq)
    n.restored = restricting(n.lo, "restrict_lo") + restricting(n.hi, "restrict_hi")
    n.restored += object_decoder(n.object, "object") + unet(n.detect, "detect", True)
    n.refining = unet(n.refine, "refine")
    n.books = {"codes.lo": n.vq._vq_vae_top, "codes.hi": n.vq._vq_vae_bot}
    for name, book in n.books.items():
        codes = normal(name, (CODES, CHANNELS), 1) / 8
        book._embedding.weight.data.copy_(codes)
        book._ema_w.data.copy_(codes)
        book._ema_cluster_size.fill_(1)
    return n


def images(first, count):
    pixels = np.stack([philox.test_image(first + i, SIDE, SIDE) for i in range(count)])
    return torch.from_numpy(pixels.astype(np.float64)).permute(0, 3, 1, 2) / 255


def ranks(name, count, side):
    """[count, side, side] whole numbers, half of them 0."""
    u = uniform(name, count * side * side)
    return torch.from_numpy(np.where(u < 0.5, 0, np.floor((u - 0.5) * 2 * CODES)).astype(np.int64)).reshape(count, side, side)


def target():
    return torch.from_numpy((uniform("target", BATCH * SIDE * SIDE) > 0.7).astype(np.float64)).reshape(BATCH, 1, SIDE, SIDE)


def by_rank(book, x, rank):
    """Codes [N,C,h,w] of these ranks by distance from x."""
    codes = book._embedding.weight
    order = torch.cdist(x.permute(0, 2, 3, 1).reshape(-1, CHANNELS), codes).argsort(1)
    chosen = codes[order.gather(1, rank.reshape(-1, 1))[:, 0]]
    return chosen.reshape(x.shape[0], *x.shape[2:], CHANNELS).permute(0, 3, 1, 2)


def sampled(tensors):
    """SAMPLES numbers of each in memory order: O,KH,KW,I."""
    rows = []
    for tensor in tensors:
        values = tensor.detach()
        values = (values.permute(0, 2, 3, 1) if values.dim() == 4 else values).reshape(-1).numpy()
        rows.append([values[len(values) * i // SAMPLES] for i in range(SAMPLES)])
    return np.array(rows)


def trained(name, tensors, losses_of, rate):
    """Losses, gradients and parameters of three steps."""
    optimizer = torch.optim.Adam(tensors, lr=rate)
    rows, found = [], {}
    for step in range(STEPS + 1):
        if step == STEPS:
            found[f"{name}.parameters"] = sampled(tensors)
        losses = losses_of(step)
        rows.append([float(value.detach()) for value in losses])
        if step == STEPS:
            break
        optimizer.zero_grad()
        losses[-1].backward()
        if step == 0:
            found[f"{name}.gradients"] = sampled([tensor.grad for tensor in tensors])
        optimizer.step()
    print(name, rows, flush=True)
    return found | {f"{name}.losses": np.array(rows)}


def codebooks():
    n, x, found = networks(), images(TRAINED, BATCH), {}

    def losses(step):
        if step == STEPS:
            found["codebook.codes"] = sampled([book._embedding.weight for book in n.books.values()])
        hi, lo, drawn_image, _, _ = n.vq(x)
        image = F.mse_loss(drawn_image, x)
        return [image, (hi + lo) / 0.25, image + hi + lo]

    return trained("codebook", n.of_vq, losses, 2e-3) | found


def decoded(n, decoder, lo, hi):
    return decoder(torch.cat([n.vq.upsample_t(lo), hi], 1))


def restoring():
    n, x, found = networks(), images(TRAINED, BATCH), {}
    n.vq.eval()
    rank_lo, rank_hi = ranks("ranks lo", 2 * BATCH, SIDE // 8), ranks("ranks hi", BATCH, SIDE // 4)
    top, bottom = n.books["codes.lo"], n.books["codes.hi"]

    def losses(step):
        with torch.no_grad():
            encoded = n.vq._encoder_b(x)
            z = n.vq._pre_vq_conv_top(n.vq._encoder_t(encoded))
            before = lambda lo: n.vq._pre_vq_conv_bot(torch.cat([encoded, n.vq.upsample_t(lo)], 1))
            lo = top(z)[1]
            hi = bottom(before(lo))[1]
            disturbed_lo = by_rank(top, z, rank_lo[:BATCH])
            disturbed_hi = by_rank(bottom, before(by_rank(top, z, rank_lo[BATCH:])), rank_hi)
            general = decoded(n, n.vq._decoder_b, disturbed_lo, disturbed_hi)
        said_hi, restored_hi, _ = n.hi(disturbed_hi, bottom)
        said_lo, restored_lo, _ = n.lo(disturbed_lo, top)
        restored = decoded(n, n.object, restored_lo, restored_hi)
        detection = n.focal(torch.softmax(n.detect(torch.cat([restored.detach(), general], 1)), 1), target())
        parts = [F.mse_loss(said_lo, lo), F.mse_loss(said_hi, hi), F.mse_loss(x, restored), detection]
        if step == 0:
            values = dict(codes_lo=lo, codes_hi=hi, disturbed_lo=disturbed_lo, disturbed_hi=disturbed_hi,
                          restored_lo=restored_lo, restored_hi=restored_hi, object=restored, general=general)
            found.update({name: v.permute(0, 2, 3, 1).reshape(-1)[::STRIDE] for name, v in values.items()})
        return parts + [parts[0] + parts[1] + 10 * parts[2] + parts[3]]

    return trained("restoring", n.restored, losses, 2e-4) | found


def judged(n, x):
    """What detection and refinement say: probabilities, logits."""
    lo, hi = n.vq(x)[3:]
    general = decoded(n, n.vq._decoder_b, lo, hi)
    restored = decoded(n, n.object, n.lo(lo, n.books["codes.lo"])[1], n.hi(hi, n.books["codes.hi"])[1])
    detection = torch.softmax(n.detect(torch.cat([restored, general], 1)), 1)
    return detection, n.refine(torch.cat([restored, general, detection], 1))


def refining():
    n, x = networks(), images(TRAINED, BATCH)
    n.vq.eval()
    return trained("refining", n.refining, lambda step: [n.focal(torch.softmax(judged(n, x)[1], 1), target())], 2e-4)


def judging():
    n = networks()
    n.vq.eval()
    with torch.no_grad():
        detection, refined = judged(n, images(JUDGED, 1))
        score = F.avg_pool2d(detection[:, 1:], 21, 1, 10).max()
        return {"map": torch.softmax(refined, 1)[0, 1].numpy().astype(np.float32), "score": score.reshape(1)}


def noise():
    for name, member in (("scipy", None), ("scipy.interpolate", "interp2d"), ("cv2", None)):
        sys.modules[name] = types.ModuleType(name)
        if member:
            setattr(sys.modules[name], member, None)
    import perlin
    words = philox.words(3, philox.STREAM_TEST, 4 * 5, 5 * 9)
    np.random.rand = lambda *shape: philox.uniform(words).reshape(shape)
    return {"perlin": perlin.rand_perlin_2d_np((SIDE, SIDE), (4, 8))}


def save_codebooks():
    torch.save({name: t.float() for name, t in networks().vq.state_dict().items()}, FOLDER / "dsr_codebooks.pth")


def main():
    torch.set_default_dtype(torch.float64)
    save_codebooks()
    found = codebooks() | restoring() | refining() | judging() | noise()
    found["refining.losses"] = found["refining.losses"][:, 0]
    found = {name: np.ascontiguousarray(t.detach().numpy() if torch.is_tensor(t) else t) for name, t in found.items()}
    path = FOLDER / "dsr.safetensors"
    safetensors_file.write(path, found, {"made by": "dsr_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
