//! The words of users, tasks and requests.

use super::Takes::{
    Any, Bool, Duration, Either, List, Map, Table, Template, Text, ThinkTime, Whole, Word,
};
use super::{Key, TableSpec, key};

pub(in crate::plan) static USER: TableSpec = TableSpec {
    what: "a user",
    doc: "A kind of virtual user.",
    keys: &[
        key("name", Text, "Unique among users.", "\"member\""),
        key("weight", Whole, "Share among the users of a phase; 1 if not given.", "3"),
        key("count", Whole, "Exactly this many users of a phase are of this kind.", "1"),
        key("think_time", ThinkTime, "Pause after every task.", "\"1s..3s\""),
        key(
            "order",
            Word(&["weighted", "sequential"]),
            "Which task comes next: at random by weight, or in the order of the plan.",
            "\"sequential\"",
        ),
        key("variables", Map(&Template), "Like [variables], for this kind only.", ""),
        key("on_start", List(&Table(&STEP)), "Once per virtual user, when it starts.", ""),
        key("task", List(&Table(&TASK)), "Over and over.", ""),
        key("on_stop", List(&Table(&STEP)), "Once per virtual user, when it stops.", ""),
    ],
    foreign: &[
        ("wait_time", "think_time"),
        ("wait", "think_time"),
        ("sleep", "think_time"),
        ("tasks", "[[user.task]]"),
        ("fixed_count", "count"),
        ("setup", "on_start"),
        ("teardown", "on_stop"),
        ("get", "[[user.task]] with get"),
        ("post", "[[user.task]] with post"),
    ],
    prefixes: &[],
};

const FOREIGN_REQUEST: &[(&str, &str)] = &[
    ("path", "get or post"),
    ("data", "body or form"),
    ("params", "query"),
    ("payload", "json or body"),
    ("checks", "check"),
    ("assert", "check"),
    ("expect", "check"),
    ("capture", "extract"),
    ("save", "extract"),
    ("auth", "basic or bearer"),
    ("redirects", "follow_redirects"),
    ("file", "body_file"),
    ("status", "check = { status = … }"),
    ("sleep", "think_time, or a step with pause"),
    ("wait", "think_time, or a step with pause"),
    ("steps", "step"),
];

const URL_DOC: &str = "Path on the target, or an absolute URL.";

/// The keys of a request, after those of the table it stands in.
macro_rules! with_request_keys {
    ($($own:expr),* $(,)?) => { &[
        $($own,)*
        key("get", Template, URL_DOC, "\"/api/messages?limit=50\""),
        key("post", Template, URL_DOC, "\"/api/messages\""),
        key("put", Template, URL_DOC, ""),
        key("patch", Template, URL_DOC, ""),
        key("delete", Template, URL_DOC, ""),
        key("head", Template, URL_DOC, ""),
        key("options", Template, URL_DOC, ""),
        key("method", Text, "Any other method; goes with url.", "\"PURGE\""),
        key("url", Template, "Path on the target, or an absolute URL; goes with method.", "\"/\""),
        key("query", Map(&Any), "Added to the URL, encoded.", "{ limit = 50 }"),
        key("headers", Map(&Either(&[Template, List(&Template)])), "Request headers.",
            "{ authorization = \"Bearer {{ token }}\" }"),
        key("target_headers", Map(&Either(&[Template, List(&Template)])), "Request headers that are \
            sent only if the URL, once it is known, is one of the target's; so are those of `[http]` that \
            are secrets.", "{ authorization = \"Bearer {{ token }}\" }"),
        key("json", Any, "The body, as JSON. A text that is exactly one `{{ … | number }}` or \
            `{{ … | raw }}` goes in without quotes.", "{ content = \"Hello\" }"),
        key("form", Map(&Any), "The body, as an HTML form.", "{ Body = \"Hi\" }"),
        key("multipart", Map(&Either(&[Template, Table(&MULTIPART_PART)])),
            "The body, as multipart/form-data.", "{ photo = { file = \"a.png\" } }"),
        key("body", Template, "The body, as it is.", ""),
        key("body_file", Text, "The body: a file's bytes, as they are.", "\"body.bin\""),
        key("body_template", Text, "The body: a file's text, with `{{ … }}`.", "\"order.json\""),
        key("content_type", Text, "The content-type header.", "\"text/xml\""),
        key("basic", Either(&[Template, Table(&BASIC)]), "User and password.", "\"user:password\""),
        key("bearer", Template, "Bearer token.", "\"{{ token }}\""),
        key("timeout", Duration, "For the whole request, instead of [http].", "\"5s\""),
        key("follow_redirects", Either(&[Whole, Bool]), "Instead of [http].", "false"),
        key("extract", Map(&Either(&[Text, Table(&EXTRACT)])),
            "Values to keep for later requests of the same user.", "{ token = \"$.token\" }"),
        key("check", Either(&[Table(&CHECK), List(&Table(&CHECK_NAMED))]),
            "What must hold of the answer.", "{ status = 200, \"$.messages\" = \"exists\" }"),
        key("cache", Either(&[Table(&CACHE), Bool]),
            "How a cache hit is known, instead of the plan's rule; false for not at all.",
            "{ header = \"x-cache\", contains = \"HIT\" }"),
        key("required", Bool, "Skip the rest of the task when this request fails. True if not \
            given where the request extracts a value, and in on_start.", "true"),
        key("sign", Table(&SIGN), "Sign the request.", "{ twilio = \"${TWILIO_TOKEN}\" }"),
    ] };
}

static STEP_KEYS: &[Key] = with_request_keys![
    key("name", Text, "What it is counted under; \"METHOD /path\" if not given.", "\"Log in\""),
    key("pause", ThinkTime, "Wait, instead of a request.", "\"500ms\""),
];

static TASK_KEYS: &[Key] = with_request_keys![
    key("name", Text, "What it is counted under; \"METHOD /path\" if not given.", "\"Read\""),
    key("weight", Whole, "Share among the tasks of the user; 1 if not given.", "3"),
    key("think_time", ThinkTime, "Pause after this task, instead of the user's.", "\"2s\""),
    key("step", List(&Table(&STEP)), "Several requests and pauses, instead of one request.", ""),
];

pub(in crate::plan) static STEP: TableSpec = TableSpec {
    what: "a step",
    doc: "A request or a pause.",
    keys: STEP_KEYS,
    foreign: FOREIGN_REQUEST,
    prefixes: &[],
};

pub(in crate::plan) static TASK: TableSpec = TableSpec {
    what: "a task",
    doc: "One thing a user does: a request, or several steps.",
    keys: TASK_KEYS,
    foreign: FOREIGN_REQUEST,
    prefixes: &[],
};

pub(in crate::plan) static BASIC: TableSpec = TableSpec {
    what: "basic credentials",
    doc: "User and password (RFC 7617).",
    keys: &[
        key("user", Template, "The user.", "\"ada\""),
        key("password", Template, "The password.", "\"${PASSWORD}\""),
    ],
    foreign: &[("username", "user"), ("pass", "password")],
    prefixes: &[],
};

pub(in crate::plan) static MULTIPART_PART: TableSpec = TableSpec {
    what: "a part of a multipart body",
    doc: "A part of a multipart body.",
    keys: &[
        key("file", Text, "A file whose bytes are sent.", "\"a.png\""),
        key("value", Template, "A text that is sent.", "\"Hello\""),
        key(
            "filename",
            Text,
            "The file name that is sent; the file's own if not given.",
            "\"b.png\"",
        ),
        key("content_type", Text, "Type of the part.", "\"image/png\""),
    ],
    foreign: &[("path", "file"), ("name", "filename"), ("type", "content_type")],
    prefixes: &[],
};

pub(in crate::plan) static SIGN: TableSpec = TableSpec {
    what: "a signature",
    doc: "A signature over the request.",
    keys: &[key(
        "twilio",
        Template,
        "Auth token: sends X-Twilio-Signature over the URL and the form fields.",
        "\"${TWILIO_TOKEN}\"",
    )],
    foreign: &[],
    prefixes: &[],
};

pub(in crate::plan) static EXTRACT: TableSpec = TableSpec {
    what: "an extraction",
    doc: "Where a value comes from.",
    keys: &[
        key("json", Text, "A JSONPath (RFC 9535); the first node.", "\"$.items[0].id\""),
        key("header", Text, "A header.", "\"location\""),
        key("regex", Text, "A regular expression on the body.", "'csrf=\"([^\"]+)\"'"),
        key("group", Whole, "Which group of `regex`; 1 if it has any, else the whole match.", "1"),
        key("cookie", Text, "A cookie that the answer sets.", "\"session\""),
        key(
            "default",
            Text,
            "Instead, where the answer has none. Without it the request fails.",
            "\"\"",
        ),
    ],
    foreign: &[("jsonpath", "json"), ("path", "json"), ("re", "regex"), ("pattern", "regex")],
    prefixes: &[],
};

/// What a value is compared with.
macro_rules! with_condition_keys {
    ($($own:expr),* $(,)?) => { &[
        $($own,)*
        key("exists", Bool, "Whether it is there.", "true"),
        key("equals", Any, "It is equal.", "true"),
        key("not_equals", Any, "It is different.", "0"),
        key("contains", Text, "It has this text in it, or this element.", "\"HIT\""),
        key("matches", Text, "It matches this regular expression.", "'^[0-9]+$'"),
    ] };
}

pub(in crate::plan) static CONDITION: TableSpec = TableSpec {
    what: "a condition",
    doc: "What a value must be.",
    keys: with_condition_keys![],
    foreign: &[("eq", "equals"), ("is", "equals"), ("regex", "matches"), ("like", "matches")],
    prefixes: &[],
};

pub(in crate::plan) static CACHE: TableSpec = TableSpec {
    what: "a cache rule",
    doc: "How a cache hit is known from an answer.",
    keys: with_condition_keys![
        key("json", Text, "A place in a JSON body.", "\"$.cached\""),
        key("header", Text, "A header.", "\"x-cache\""),
    ],
    foreign: &[("path", "json")],
    prefixes: &[],
};

static CHECK_KEYS: &[Key] = &[
    key(
        "status",
        Either(&[Whole, Text, List(&Either(&[Whole, Text]))]),
        "The status, several of them, or a class. Without it any status below 400 does.",
        "\"2xx\"",
    ),
    key(
        "body",
        Either(&[Text, Table(&CONDITION)]),
        "Text that the body has in it.",
        "\"contains Welcome\"",
    ),
    key("duration", Text, "A limit of the response time.", "\"<500ms\""),
    key("header", Map(&Any), "A condition on a header.", "{ content-type = \"contains json\" }"),
];

pub(in crate::plan) static CHECK: TableSpec = TableSpec {
    what: "a check",
    doc: "What must hold of the answer. Besides these keys a JSONPath (\"$.items\") or \
          \"header.NAME\" with a condition: \"exists\", \"absent\", \"> 5\", \"contains x\", \
          \"matches re\", or the value itself.",
    keys: CHECK_KEYS,
    foreign: &[
        ("json", "the JSONPath itself as the key, such as \"$.messages\""),
        ("time", "duration"),
        ("response_time", "duration"),
        ("headers", "header"),
        ("contains", "body = \"contains …\""),
        ("code", "status"),
        ("status_code", "status"),
    ],
    prefixes: &["$", "header."],
};

pub(in crate::plan) static CHECK_NAMED: TableSpec = TableSpec {
    what: "a check",
    doc: "One condition, with a name to count it under.",
    keys: CHECK_NAMED_KEYS,
    foreign: CHECK.foreign,
    prefixes: CHECK.prefixes,
};

static CHECK_NAMED_KEYS: &[Key] = &[
    key("name", Text, "What it is counted under.", "\"has messages\""),
    key("status", Either(&[Whole, Text, List(&Either(&[Whole, Text]))]), "The status.", "200"),
    key("body", Either(&[Text, Table(&CONDITION)]), "Text that the body has in it.", ""),
    key("duration", Text, "A limit of the response time.", "\"<500ms\""),
    key("header", Map(&Any), "A condition on a header.", ""),
];
