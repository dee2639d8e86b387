"""template.yaml as CloudFormation gets it: what `aws-sam-translator` makes of it, with placeholders for uploaded code.

    python tools/translate.py template.yaml translated.json

Linters and policy tests read the translation, because much that SAM adds or refuses cannot be seen in the source.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

REGION = "ap-northeast-1"
CODE_KEYS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def source(path: Path) -> dict[str, Any]:
    """The SAM template, its short-form tags spelled out (``!Ref x`` → ``{"Ref": "x"}``)."""
    parsed: dict[str, Any] = yaml_parse(path.read_text("utf-8"))
    return parsed


def translated(path: Path) -> dict[str, Any]:
    """The CloudFormation template. Raises InvalidDocumentException for what the translator refuses."""
    template = source(path)
    for resource in template["Resources"].values():
        if key := CODE_KEYS.get(resource["Type"]):
            resource["Properties"][key] = "s3://placeholder/code.zip"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    made: dict[str, Any] = translator.translate(template, {})
    return made


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(translated(Path(sys.argv[1])), ensure_ascii=False, indent=1), "utf-8")
