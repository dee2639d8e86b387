"""Nothing that came over a queue is lost, and nothing is taken twice at a time."""

from __future__ import annotations

DAY_S = 86_400


def test_every_function_with_a_queue_has_its_own(template):
    """Issue, void, reissue and allowance each take from one queue."""
    assert {(function, queue) for function, queue, _ in template.mappings()} == {
        ("IssueFunction", "IssueQueue"),
        ("VoidFunction", "VoidQueue"),
        ("ReissueFunction", "ReissueQueue"),
        ("AllowanceFunction", "AllowanceQueue"),
    }


def test_message_stays_hidden_while_its_function_may_still_work(template):
    """AWS asks for six times the function's timeout; less delivers a message that is still being worked on."""
    functions, queues = template.of("AWS::Lambda::Function"), template.of("AWS::SQS::Queue")
    for function, queue, _ in template.mappings():
        assert queues[queue]["VisibilityTimeout"] >= 6 * functions[function]["Timeout"], queue


def test_unreadable_messages_end_in_a_dead_letter_queue_that_keeps_them(template):
    """After some tries, in a queue of its own, for longer than where it came from."""
    queues = template.of("AWS::SQS::Queue")
    targets = []
    for _, name, _ in template.mappings():
        redrive = queues[name]["RedrivePolicy"]
        assert 5 <= redrive["maxReceiveCount"] <= 20
        target = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert queues[target]["MessageRetentionPeriod"] == 14 * DAY_S
        assert queues[name]["MessageRetentionPeriod"] < 14 * DAY_S
        assert "RedrivePolicy" not in queues[target]
        targets.append(target)
    assert len(set(targets)) == len(targets)


def test_one_bad_message_does_not_bring_its_batch_back(template):
    """Only what failed is delivered again."""
    for _, queue, mapping in template.mappings():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue


def test_a_queue_takes_a_bounded_share_of_the_account(template):
    """Batches of ten, a limited number at a time: one queue must not use up what all functions share."""
    for _, queue, mapping in template.mappings():
        assert mapping["BatchSize"] == 10, queue
        assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 50, queue


def test_queues_are_encrypted(template):
    """Messages carry buyers' names and addresses."""
    assert all(q["SqsManagedSseEnabled"] is True for q in template.of("AWS::SQS::Queue").values())
