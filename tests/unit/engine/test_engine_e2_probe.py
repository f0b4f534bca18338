import numpy as np, pytest
from pathlib import Path
from medfm_gui.domain import events as ev
from medfm_gui.domain.run import StudySpec, StudyImage
from medfm_gui.engine.train import run_training
from medfm_gui.engine.predict import predict_study
from tests.fixtures.tiny_transformer import tiny_transformer
@pytest.mark.parametrize("adapt",["linear-grid","attention-head","knn","linear"])
def test_x(bench, order, tmp_path, adapt):
    card, weights = tiny_transformer(bench.root, bench.card)
    recipe={"epochs":2,"grid_blocks":"2","grid_patches":"with","attention_init":"random","attention_width":64,"attention_depth":1,"amp":False}
    if adapt=="linear": recipe |= {"aggregate":"attention","unit":"patient"}
    spec, folder = order(adapt, card=card, weights=weights, data="multilabel" if adapt=="linear" else "binary", recipe=recipe)
    list(run_training(spec, folder))
    np.save(tmp_path/"i.npy", np.random.default_rng(0).integers(0,255,(40,50),dtype=np.uint8))
    out=list(predict_study(StudySpec((str(folder),),(StudyImage("x",str(tmp_path/"i.npy")),),str(tmp_path),explain="gradcam")))
    (said,)=[e for e in out if isinstance(e, ev.StudyPredicted)]
    print(adapt, said.scores, said.map, said.map_note, said.neighbours[:2])
    if said.map: print(np.load(said.map).std())
