"""The schema of a WAF rule's `statement`, which the bindings leave open. It is deep rather than large:
statements are nested to the depth that the provider allows. Source: internal/service/wafv2/schemas.go of
hashicorp/terraform-provider-aws.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tierra.bindings.schema import Attribute, Block, CtyType, Nested

DEEPEST = 3
KINDS: dict[str, CtyType] = {
    "string": "string",
    "number": "number",
    "bool": "bool",
    "strings": ["list", "string"],
    "numbers": ["list", "number"],
    "string_set": ["set", "string"],
    "number_set": ["set", "number"],
}


def block(arguments: str = "", **blocks: Nested) -> Block:
    """A block of arguments listed in a text: `!` follows required ones, `:kind` those that are not
    strings."""
    attributes = {}
    for argument in arguments.split():
        name, _, kind = argument.partition(":")
        needed = name.endswith("!")
        attributes[name.rstrip("!")] = Attribute(KINDS[kind or "string"], needed, not needed)
    return Block(attributes, blocks)


def single(inner: Block, *, required: bool = False) -> Nested:
    return Nested(inner, "list", required=required, single=True)


def several(inner: Block, nesting: str = "list", *, required: bool = False) -> Nested:
    return Nested(inner, nesting, required=required)


EMPTY = single(block())
FALLBACK = single(block("fallback_behavior!"))
FORWARDED = single(block("fallback_behavior! header_name!"))
TRANSFORMATION = several(block("priority!:number type!"), "set", required=True)
NAMED = single(block("name!"))
NAMED_AND_TRANSFORMED = single(block("name!", text_transformation=TRANSFORMATION))
TRANSFORMED = single(block(text_transformation=TRANSFORMATION))

FIELD = single(
    block(
        all_query_arguments=EMPTY,
        body=single(block("oversize_handling")),
        cookies=single(
            block(
                "match_scope! oversize_handling!",
                match_pattern=several(
                    block("excluded_cookies:strings included_cookies:strings", all=EMPTY), required=True
                ),
            )
        ),
        header_order=several(block("oversize_handling!")),
        headers=several(
            block(
                "match_scope! oversize_handling!",
                match_pattern=single(
                    block("excluded_headers:strings included_headers:strings", all=EMPTY), required=True
                ),
            )
        ),
        ja3_fingerprint=FALLBACK,
        ja4_fingerprint=FALLBACK,
        json_body=single(
            block(
                "invalid_fallback_behavior match_scope! oversize_handling",
                match_pattern=single(block("included_paths:strings", all=EMPTY), required=True),
            )
        ),
        method=EMPTY,
        query_string=EMPTY,
        single_header=NAMED,
        single_query_argument=NAMED,
        uri_fragment=single(block("fallback_behavior")),
        uri_path=EMPTY,
    )
)


def _matching(arguments: str = "") -> Nested:
    """A statement about a part of the request."""
    return single(block(arguments, field_to_match=FIELD, text_transformation=TRANSFORMATION))


MATCHES = {
    "asn_match_statement": single(block("asn_list!:numbers", forwarded_ip_config=FORWARDED)),
    "byte_match_statement": _matching("positional_constraint! search_string!"),
    "geo_match_statement": single(block("country_codes!:strings", forwarded_ip_config=FORWARDED)),
    "ip_set_reference_statement": single(
        block("arn!", ip_set_forwarded_ip_config=single(block("fallback_behavior! header_name! position!")))
    ),
    "label_match_statement": single(block("key! scope!")),
    "regex_match_statement": _matching("regex_string!"),
    "regex_pattern_set_reference_statement": _matching("arn!"),
    "size_constraint_statement": _matching("comparison_operator! size!:number"),
    "sqli_match_statement": _matching("sensitivity_level"),
    "xss_match_statement": _matching(),
}

HEADER = block("name! value!")
REQUEST = single(
    block(custom_request_handling=single(block(insert_header=several(HEADER, "set", required=True))))
)
RESPONSE = block("custom_response_body_key response_code!:number", response_header=several(HEADER, "set"))
ACTIONS = block(
    allow=REQUEST,
    block=single(block(custom_response=single(RESPONSE))),
    captcha=REQUEST,
    challenge=REQUEST,
    count=REQUEST,
)
OVERRIDE = several(block("name!", action_to_use=single(ACTIONS, required=True)))

IDENTIFIED = block("identifier!")
IDENTIFIERS = single(block("identifiers!:strings"))
ANSWERS = single(
    block(
        body_contains=single(block("failure_strings!:string_set success_strings!:string_set")),
        header=single(block("failure_values!:string_set name! success_values!:string_set")),
        json=single(block("failure_values!:string_set identifier! success_values!:string_set")),
        status_code=single(block("failure_codes!:number_set success_codes!:number_set")),
    )
)
SIGN_UP = block(
    "payload_type!",
    address_fields=IDENTIFIERS,
    email_field=single(IDENTIFIED),
    password_field=single(IDENTIFIED),
    phone_number_fields=IDENTIFIERS,
    username_field=single(IDENTIFIED),
)
SIGN_IN = block(
    "payload_type!",
    password_field=single(IDENTIFIED, required=True),
    username_field=single(IDENTIFIED, required=True),
)
CHALLENGE = block(
    "sensitivity usage_of_action!", exempt_uri_regular_expression=several(block("regex_string"))
)
MANAGED = several(
    block(
        "login_path payload_type",
        aws_managed_rules_acfp_rule_set=single(
            block(
                "creation_path! enable_regex_in_path:bool registration_page_path!",
                request_inspection=single(SIGN_UP, required=True),
                response_inspection=ANSWERS,
            )
        ),
        aws_managed_rules_anti_ddos_rule_set=single(
            block(
                "sensitivity_to_block",
                client_side_action_config=single(
                    block(challenge=single(CHALLENGE, required=True)), required=True
                ),
            )
        ),
        aws_managed_rules_atp_rule_set=single(
            block(
                "enable_regex_in_path:bool login_path!",
                request_inspection=single(SIGN_IN),
                response_inspection=ANSWERS,
            )
        ),
        aws_managed_rules_bot_control_rule_set=single(
            block("enable_machine_learning:bool inspection_level!")
        ),
        password_field=single(IDENTIFIED),
        username_field=single(IDENTIFIED),
    )
)

RATE_KEY = several(
    block(
        asn=EMPTY,
        cookie=NAMED_AND_TRANSFORMED,
        forwarded_ip=EMPTY,
        header=NAMED_AND_TRANSFORMED,
        http_method=EMPTY,
        ip=EMPTY,
        ja3_fingerprint=FALLBACK,
        ja4_fingerprint=FALLBACK,
        label_namespace=single(block("namespace!")),
        query_argument=NAMED_AND_TRANSFORMED,
        query_string=TRANSFORMED,
        uri_path=TRANSFORMED,
    )
)


@cache
def _combined(level: int) -> dict[str, Nested]:
    """Statements that hold others, down to that many levels."""
    if not level:
        return {}
    inner = Block(blocks={**MATCHES, **_combined(level - 1)})
    holder = single(block(statement=several(inner, required=True)))
    return {f"{word}_statement": holder for word in ("and", "not", "or")}


def _rate_based() -> Nested:
    return single(
        block(
            "aggregate_key_type evaluation_window_sec:number limit!:number",
            custom_key=RATE_KEY,
            forwarded_ip_config=FORWARDED,
            scope_down_statement=single(Block(blocks={**MATCHES, **_combined(DEEPEST - 1)})),
        )
    )


def _rule_group_statements() -> dict[str, Nested]:
    return {**MATCHES, **_combined(DEEPEST), "rate_based_statement": _rate_based()}


def _web_acl_statements() -> dict[str, Nested]:
    managed = block(
        "name! vendor_name! version",
        managed_rule_group_configs=MANAGED,
        rule_action_override=OVERRIDE,
        scope_down_statement=single(Block(blocks={**MATCHES, **_combined(DEEPEST - 1)})),
    )
    return {
        **_rule_group_statements(),
        "managed_rule_group_statement": single(managed),
        "rule_group_reference_statement": single(block("arn!", rule_action_override=OVERRIDE)),
    }


TYPES = {"aws_wafv2_rule_group": _rule_group_statements, "aws_wafv2_web_acl": _web_acl_statements}


def complete(name: str, schema: Block, words: set[str] | None = None) -> None:
    """Puts the schema of `statement` into that of the type called `name`, if it has rules of WAF: all of it,
    or the parts that are in `words` or required.

    Rules are a set; the bindings' own schema, in which a rule holds a value of any type, had to be a list.
    """
    if name in TYPES:
        rule = schema.blocks["rule"]
        rule.nesting = "set"
        del rule.block.attributes["statement"]
        statements = Block(blocks=TYPES[name]())
        rule.block.blocks["statement"] = single(
            _part(statements, words) if words else statements, required=True
        )


def _part(whole: Block, words: set[str]) -> Block:
    blocks = {
        name: replace(nested, block=_part(nested.block, words))
        for name, nested in whole.blocks.items()
        if name in words or nested.required
    }
    return Block(whole.attributes, blocks)
