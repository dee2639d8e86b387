"""What is kept stays kept: the table, its key, the logs."""

from __future__ import annotations


def test_table_survives_the_stack_and_mistakes(template):
    """Invoices outlive a deleted stack, a replaced resource, a deleted table and a bad deployment."""
    table = template.resources["Table"]
    properties = table["Properties"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 35


def test_there_is_one_table_on_demand_with_a_stream(template):
    """One table for everything; publishing will read its stream, old and new."""
    (table,) = template.of("AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_table_has_the_keys_the_store_uses(template):
    """Partition and sort key, and the sparse indexes by which recover finds what is due, and a period its invoices."""
    table = template.of("AWS::DynamoDB::Table")["Table"]
    assert [k["AttributeName"] for k in table["KeySchema"]] == ["pk", "sk"]
    indexes = {one["IndexName"]: one for one in table["GlobalSecondaryIndexes"]}
    keys = {name: [k["AttributeName"] for k in one["KeySchema"]] for name, one in indexes.items()}
    assert keys == {"due": ["due_shard", "due_at"], "books": ["bk", "no"]}
    assert all(one["Projection"] == {"ProjectionType": "KEYS_ONLY"} for one in indexes.values())
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "due_shard": "S", "due_at": "N", "bk": "S", "no": "S"}


def test_table_is_encrypted_with_our_key(template):
    """Whoever may read DynamoDB but not use the key reads nothing."""
    table = template.of("AWS::DynamoDB::Table")["Table"]
    expected = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
    assert table["SSESpecification"] == expected


def test_key_rotates_and_survives(template):
    """A lost key is a lost table."""
    key = template.resources["Key"]
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["Properties"]["PendingWindowInDays"] == 30


def test_key_is_used_only_through_dynamodb_or_for_one_merchants_credential(template):
    """No statement of the key's policy gives the account a plain decrypt."""
    statements = template.resources["Key"]["Properties"]["KeyPolicy"]["Statement"]
    use = [s for s in statements if {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"} & set(s["Action"])]
    assert len(use) == 2
    for statement in use:
        keys = {key for test in statement["Condition"].values() for key in test}
        assert keys in ({"kms:ViaService"}, {"kms:EncryptionContext:merchant", "kms:EncryptionContext:credential"})


def test_every_function_and_the_api_log_to_a_group_that_forgets(template):
    """A log group that Lambda makes by itself keeps everything for ever."""
    groups = template.of("AWS::Logs::LogGroup")
    assert all(g["RetentionInDays"] == {"Ref": "LogRetentionDays"} for g in groups.values())
    used = [f["LoggingConfig"]["LogGroup"]["Ref"] for f in template.of("AWS::Lambda::Function").values()]
    assert sorted([*used, "ApiLogGroup"]) == sorted(groups)
    assert template.body["Parameters"]["LogRetentionDays"]["Default"] in range(7, 366)
