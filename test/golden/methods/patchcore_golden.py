"""Golden values of PatchCore from its authors' own code: a checkout of amazon-science/patchcore-inspection (fcaa92f) in
$PATCHCORE, with faiss-cpu.

patchcore.safetensors. A ResNet-18 whose weights are drawn as in backbone_golden.py; four good images and one to be
judged, philox.test_image() of seeds 20..23 and 30, 96x64; layer2 and layer3, 1,024 numbers a layer, 160 a patch:
  patches      [384, 40] f32   of the good images; numbers 0, 4, 8, ...
  approximate  [38] i64        patches that the approximate greedy sampler takes at 10 %, in its order
  exact        [38] i64        those of the exact one
  one, three   [96] f32        patch scores of the fifth image: nearest squared distance, mean of three, against the
                               bank of `approximate`
  score        [1] f32         its score by the nearest
  reweighted   [1] f32         its score re-weighted by nine neighbours, by anomalib's formula as written out here
  map          [96, 64] f32    its map by the nearest
  fused_scores [3] f32, fused_map [96, 64] f32: images of seeds 30..32 as a test set, and the first one's map, by an ensemble
                               of two members: the nearest in the bank of `approximate`, three in that of `exact`; the
                               members' scores and maps over all of them each scaled to 0..1, then averaged
The random projection and the ten starting points are those of train/patchcore/coreset.c. Run in float32, as the
authors run it. Needs torch, torchvision, numpy, scipy, faiss-cpu, tqdm."""
import os
import sys
import types
from pathlib import Path

import numpy as np
import torch

import philox
import safetensors_file
from backbone_golden import MEAN, STD, backbone, fill

FOLDER = Path(__file__).resolve().parent
SIZE, GOOD, JUDGED, LENGTH, SEED = (96, 64), [20, 21, 22, 23], 30, 160, 42
FUSED = [30, 31, 32]
PROJECTION_STREAM, CORESET_STREAM = 10, 11


def original():
    """The authors' modules; their list of backbones, which needs timm, stays out."""
    sys.path.insert(0, str(Path(os.environ["PATCHCORE"]) / "src"))
    sys.modules["patchcore.backbones"] = types.ModuleType("patchcore.backbones")
    import patchcore.patchcore
    return patchcore


def image(seed):
    pixels = torch.from_numpy(philox.test_image(seed, *SIZE).astype(np.float64)).permute(2, 0, 1)[None]
    return ((pixels / 255 - MEAN) / STD).float()


class FixedLinear(torch.nn.Module):
    """Stands in for torch.nn.Linear: the projection that we draw."""

    def __init__(self, inputs, outputs, bias=False):
        super().__init__()
        u = philox.uniform(philox.words(SEED, PROJECTION_STREAM, 0, inputs * outputs))
        self.weight = torch.from_numpy(((2 * u - 1) / np.sqrt(inputs)).astype(np.float32).reshape(outputs, inputs))

    def forward(self, x):
        return x @ self.weight.T


def start_points(count, number, replace):
    assert not replace
    return np.array([philox.shuffled_index(SEED, CORESET_STREAM, s, count) for s in range(number)])


def picks(sampler, features):
    """What a sampler takes of features that end with their own number."""
    chosen = []
    compute = sampler._compute_greedy_coreset_indices
    sampler._compute_greedy_coreset_indices = lambda reduced: chosen.append(compute(reduced)) or chosen[-1]
    sampler.run(features)
    return chosen[0].astype(np.int64)


def reweighted(patches, bank, neighbours=9):
    """The largest distance of a patch to its nearest row, times 1 - the softmax over the distances to the rows around
    that row at the row itself."""
    distance = np.linalg.norm(patches[:, None] - bank[None], axis=-1)
    farthest = distance.min(1).argmax()
    nearest = distance[farthest].argmin()
    around = np.linalg.norm(bank - bank[nearest], axis=-1).argsort(kind="stable")[:neighbours]
    support = np.exp(distance[farthest, around] - distance[farthest, around].max())
    return distance[farthest, nearest] * (1 - support[0] / support.sum())


def scaled(x):
    return (x - x.min()) / (x.max() - x.min())


def fused(members):
    """Of [scores, maps] of each member over a test set: the ensemble's, as in bin/run_patchcore.py."""
    return [np.mean([scaled(np.array(member[k])) for member in members], axis=0) for k in (0, 1)]


def main():
    package = original()
    model = backbone("resnet18", "torchvision")
    fill(model)
    core = package.patchcore.PatchCore(torch.device("cpu"))
    core.load(model.float().eval(), ["layer2", "layer3"], torch.device("cpu"), (3, *SIZE), 1024, LENGTH)
    patches = np.concatenate([np.asarray(core._embed(image(seed))) for seed in GOOD])
    torch.nn.Linear, np.random.choice = FixedLinear, start_points
    with torch.no_grad():
        approximate = picks(package.sampler.ApproximateGreedyCoresetSampler(0.1, torch.device("cpu")), patches)
        exact = picks(package.sampler.GreedyCoresetSampler(0.1, torch.device("cpu")), patches)
    found = {"patches": patches[:, ::4], "approximate": approximate, "exact": exact}
    for name, neighbours in (("one", 1), ("three", 3)):
        core.anomaly_scorer = package.common.NearestNeighbourScorer(neighbours, package.common.FaissNN(False, 1))
        core.anomaly_scorer.fit([patches[approximate]])
        found[name] = core.anomaly_scorer.predict([np.asarray(core._embed(image(JUDGED)))])[0]
        if neighbours == 1:
            scores, masks = core.predict(image(JUDGED))
            found["score"], found["map"] = np.array(scores), masks[0]
    members = []
    for bank, neighbours in ((approximate, 1), (exact, 3)):
        core.anomaly_scorer = package.common.NearestNeighbourScorer(neighbours, package.common.FaissNN(False, 1))
        core.anomaly_scorer.fit([patches[bank]])
        members.append([np.concatenate(part) for part in zip(*(core.predict(image(seed)) for seed in FUSED))])
    fused_scores, fused_maps = fused(members)
    found["fused_scores"], found["fused_map"] = fused_scores, fused_maps[0]
    judged = np.asarray(core._embed(image(JUDGED))).astype(np.float64)
    found["reweighted"] = np.array([reweighted(judged, patches[approximate].astype(np.float64))])
    found = {name: np.ascontiguousarray(t if t.dtype == np.int64 else t.astype(np.float32)) for name, t in found.items()}
    path = FOLDER / "patchcore.safetensors"
    safetensors_file.write(path, found, {"made by": "patchcore_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes; scores {found['one'].min():.4g} to {found['one'].max():.4g}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
