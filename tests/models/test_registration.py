from __future__ import annotations

import subprocess
import sys

import pytest
from transformers import AutoConfig, AutoModel

from labelwise.models import GLiClassConfig, GLiClassModel, GliZNetConfig, GliZNetModel
from labelwise.models.registration import register_with_transformers

TINY = {
    "model_type": "bert",
    "vocab_size": 8,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
}


def test_auto_classes_know_both_architectures():
    assert isinstance(AutoConfig.for_model("gliznet"), GliZNetConfig)
    assert isinstance(AutoConfig.for_model("GLiClass"), GLiClassConfig)
    assert isinstance(AutoModel.from_config(GliZNetConfig(backbone_config=TINY)), GliZNetModel)
    assert isinstance(AutoModel.from_config(GLiClassConfig(encoder_config=TINY)), GLiClassModel)


def test_registering_twice_is_harmless():
    register_with_transformers()


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_without_the_extra_the_error_names_it(missing):
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {missing!r}:\n"
        f"            raise ModuleNotFoundError('No module named {missing}', name={missing!r})\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from labelwise.errors import MissingExtraError\n"
        "try:\n"
        "    import labelwise.models\n"
        "except MissingExtraError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert missing in result.stdout and "pip install 'labelwise[torch]'" in result.stdout, result.stderr
