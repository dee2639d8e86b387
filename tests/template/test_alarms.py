"""Whatever needs a person raises an alarm that reaches one."""

from __future__ import annotations


def alarms(template, metric):
    """Alarms on a metric, by what their one dimension names."""
    found = [a for a in template.of("AWS::CloudWatch::Alarm").values() if a["MetricName"] == metric]
    return {dimension(a): a for a in found}


def dimension(alarm):
    """The logical id, or the text, that the alarm's one dimension names."""
    (one,) = alarm["Dimensions"]
    value = one["Value"]
    return value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else value.get("Ref", value.get("Fn::Sub"))


def test_every_dead_letter_queue_raises_an_alarm_at_its_first_message(template):
    """One message there is one command nobody could read."""
    queues = template.of("AWS::SQS::Queue")
    redrives = [q["RedrivePolicy"] for q in queues.values() if "RedrivePolicy" in q]
    targets = {r["deadLetterTargetArn"]["Fn::GetAtt"][0] for r in redrives}
    found = alarms(template, "ApproximateNumberOfMessagesVisible")
    assert set(found) == targets
    assert {(a["Threshold"], a["ComparisonOperator"]) for a in found.values()} == {(0, "GreaterThanThreshold")}


def test_every_queue_raises_an_alarm_when_it_is_not_taken_from(template):
    """A message waits only for its claim: minutes mean that nobody takes."""
    assert set(alarms(template, "ApproximateAgeOfOldestMessage")) == {queue for _, queue, _ in template.mappings()}


def test_every_function_raises_an_alarm_when_it_crashes(template):
    """An answer with a code is no error to Lambda: what is counted here is a crash or a timeout."""
    assert set(alarms(template, "Errors")) == set(template.of("AWS::Lambda::Function"))


def test_a_schedule_that_does_not_run_raises_an_alarm(template):
    """No data is the alarm: a schedule that was switched off counts nothing."""
    found = alarms(template, "Invocations")
    assert {name: alarm["Period"] for name, alarm in found.items()} == {"RecoverFunction": 300, "ConfirmFunction": 900}
    for stopped in found.values():
        assert (stopped["ComparisonOperator"], stopped["Threshold"]) == ("LessThanThreshold", 1)
        assert stopped["TreatMissingData"] == "breaching"


def test_the_ledgers_own_metrics_raise_alarms_under_the_names_the_code_uses(template):
    """Namespace and the one dimension, ``service``, are what the functions' environment sets."""
    functions = template.of("AWS::Lambda::Function")
    environment = functions["RecoverFunction"]["Environment"]["Variables"]
    for metric in ("OldestPendingSeconds", "Attention", "CorrectionStopped", "Unknown"):
        (alarm,) = alarms(template, metric).values()
        assert alarm["Namespace"] == environment["POWERTOOLS_METRICS_NAMESPACE"]
        assert alarm["Dimensions"] == [{"Name": "service", "Value": environment["POWERTOOLS_SERVICE_NAME"]}]


def test_silence_about_pending_orders_is_an_alarm(template):
    """The oldest age is told every minute, zero included."""
    (alarm,) = alarms(template, "OldestPendingSeconds").values()
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Threshold"] > 30 * 60  # a centre's ban is no alarm


def test_alarms_go_to_the_topic_if_there_is_one(template):
    """The same topic for all, told at the end of the trouble too."""
    to_topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in template.of("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == to_topic, name
        assert alarm["OKActions"] == to_topic, name
