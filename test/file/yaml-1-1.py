"""Reads keystores as the strictest known peer does: YAML 1.1, string to string to string."""

import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)



def keys_of(text):
    """The keys alone, where other settings need not be such as this reader can construct."""
    loader = yaml.SafeLoader(text)
    root = loader.get_single_node()
    block = [value for name, value in root.value if name.value == "api_keys"]
    assert len(block) == 1
    return loader.construct_document(block[0])


for index, case in enumerate(cases):
    keys = keys_of(case["text"]) if case.get("keysOnly") else yaml.safe_load(case["text"])["api_keys"]
    assert isinstance(keys, dict), (index, "api_keys is no map")
    for digest, entry in keys.items():
        assert isinstance(digest, str) and len(digest) == 64, (index, "digest")
        assert isinstance(entry, dict), (index, "entry")
        for name, value in entry.items():
            assert isinstance(name, str) and isinstance(value, str), (index, "field")
    assert keys == case["live"], (index, "the readers differ")

print(f"{len(cases)} accepted")
