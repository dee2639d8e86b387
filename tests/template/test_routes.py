"""Who may call what over HTTP."""

from __future__ import annotations

from tests.template.reading import ROOT

# The only routes that answer without an API key. A webhook or callback that verifies a signature of its own is put on
# the second list by hand, with the test that shows what an unsigned request gets.
ANSWERS_ANYBODY = {"GET /v1/health"}
SIGNATURE_ONLY = {  # route: the test, as "tests/….py::test_…"
    "POST /v1/callbacks/ecpay/{merchant_id}/{name}": "tests/local/test_corrections.py::test_only_the_centre_is_heard",
}
SIGNED_PATHS = ("POST /v1/webhooks/", "POST /v1/callbacks/")
ROUTES = {
    "POST /v1/invoices": "IssueFunction",
    "POST /v1/invoices/{id}/void": "VoidFunction",
    "POST /v1/invoices/{id}/reissue": "ReissueFunction",
    "POST /v1/invoices/{id}/allowances": "AllowanceFunction",
    "POST /v1/allowances/{id}/void": "AllowanceFunction",
    "POST /v1/orders/{source}/{order_id}/corrections": "CorrectionsFunction",
    "DELETE /v1/orders/{source}/{order_id}/corrections/{id}": "CorrectionsFunction",
    "PATCH /v1/orders/{source}/{order_id}/facts": "CorrectionsFunction",
    "PUT /v1/filings/{period}": "CorrectionsFunction",
    "POST /v1/callbacks/ecpay/{merchant_id}/{name}": "CallbacksFunction",
    "GET /v1/invoices/{id}": "OrdersFunction",
    "GET /v1/invoices/{id}/print": "OrdersFunction",
    "GET /v1/orders/{source}/{order_id}": "OrdersFunction",
    "GET /v1/allowances/{id}": "OrdersFunction",
    "GET /v1/deadlines": "OrdersFunction",
    "GET /v1/health": "OrdersFunction",
}


def test_routes_are_the_documented_ones(template):
    """Every documented route reaches its function, and there is no other."""
    assert template.route_functions() == ROUTES


def test_only_listed_routes_are_open(template):
    """A route without our authorizer is one that somebody put on the list on purpose."""
    guarded = {route for route, operation in template.routes().items() if operation.get("security") == [{"ApiKey": []}]}
    assert set(template.routes()) - guarded == ANSWERS_ANYBODY | set(SIGNATURE_ONLY)


def test_signature_only_routes_are_webhooks_and_callbacks_with_a_test_of_their_signature():
    """Nothing else is opened by way of that list, and nothing on it is there unproved."""
    for route, test in SIGNATURE_ONLY.items():
        assert route.startswith(SIGNED_PATHS), route
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), route
    assert not any(route.startswith(SIGNED_PATHS) for route in ROUTES.keys() - SIGNATURE_ONLY.keys())


def test_api_has_one_authorizer_that_reads_the_authorization_header(template):
    """A request without the header is refused before any function runs; an answer is kept for a limited time."""
    (api,) = template.of("AWS::ApiGatewayV2::Api").values()
    (scheme,) = api["Body"]["components"]["securitySchemes"].values()
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "request"
    assert authorizer["identitySource"] == ["$request.header.Authorization"]
    assert authorizer["enableSimpleResponses"] is True
    assert authorizer["authorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["authorizerResultTtlInSeconds"] == {"Ref": "AuthorizerCacheSeconds"}
    assert template.body["Parameters"]["AuthorizerCacheSeconds"]["Default"] == 60


def test_api_gateway_may_invoke_the_authorizer(template):
    """Without the permission every guarded route answers 500."""
    allowed = [p["FunctionName"] for p in template.of("AWS::Lambda::Permission").values() if "authorizers" in str(p)]
    assert allowed == [{"Fn::GetAtt": ["AuthorizeFunction", "Arn"]}]


def test_no_browser_origin_is_allowed(template):
    """The callers are servers: no page in a browser may call with a merchant's key."""
    (api,) = template.of("AWS::ApiGatewayV2::Api").values()
    assert "x-amazon-apigateway-cors" not in api["Body"]
    assert "CorsConfiguration" not in api


def test_stage_is_throttled_and_logged(template):
    """No stage without a limit, and a log line for every request, refused ones too."""
    (stage,) = template.of("AWS::ApiGatewayV2::Stage").values()
    limits = stage["DefaultRouteSettings"]
    assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"] <= 5000
    assert stage["AccessLogSettings"]["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}


def test_access_log_names_no_path_query_or_header(template):
    """Paths carry order ids and headers carry keys; neither belongs into a log."""
    (stage,) = template.of("AWS::ApiGatewayV2::Stage").values()
    line = stage["AccessLogSettings"]["Format"]
    assert "\n" not in line
    for word in ("context.path", "rawPath", "querystring", "header", "body", "context.authorizer.principalId"):
        assert word not in line


def test_clients_never_wait_longer_than_api_gateway(template):
    """A function behind HTTP ends before API Gateway's 30 s, so that the caller gets its answer and not a 503."""
    functions = template.of("AWS::Lambda::Function")
    assert {functions[f]["Timeout"] for f in template.route_functions().values()} == {25}


def test_authorizer_ends_within_what_api_gateway_waits(template):
    """API Gateway gives an authorizer 10 s."""
    assert template.of("AWS::Lambda::Function")["AuthorizeFunction"]["Timeout"] <= 10
