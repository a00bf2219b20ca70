//! Every kind of problem of our own API, for readers of its `type`.

/// A kind of problem.
pub struct ProblemKind {
    pub code: &'static str,
    pub status: &'static str,
    /// The meaning.
    pub what: &'static str,
    /// The remedy.
    pub remedy: &'static str,
}

const fn kind(code: &'static str, status: &'static str, what: &'static str, remedy: &'static str) -> ProblemKind {
    ProblemKind { code, status, what, remedy }
}

/// By status.
pub const KINDS: [ProblemKind; 54] = [
    kind(
        "missing_field",
        "400",
        "A field that has to be there is missing, null or empty.",
        "`errors` names it. Send it.",
    ),
    kind(
        "invalid_field",
        "400",
        "A field has a value that cannot be, or nobody knows the field.",
        "`errors` says of each field what is wrong.",
    ),
    kind("invalid_json", "400", "The body is not a JSON object.", "Send one, in UTF-8."),
    kind(
        "invalid_form",
        "400",
        "The query, or a form in the body, cannot be read.",
        "Percent-encode what is not plain text.",
    ),
    kind(
        "bad_signature",
        "400",
        "A payment provider's message is not signed with a secret of this business, or too long ago.",
        "Copy the signing secret from the provider into the campaign's settings.",
    ),
    kind("bad_request", "400", "The request broke off or cannot be read.", "Send it again, whole."),
    kind(
        "unauthorized",
        "401",
        "No key was sent, or it is misspelt, expired or revoked.",
        "Send a key that the Integrations page lists as active.",
    ),
    kind(
        "forbidden",
        "403",
        "The key is good and may not do this.",
        "Make a key with the scope that the message names; a key sees its own business only.",
    ),
    kind(
        "not_found",
        "404",
        "There is no such address, or no such thing in the key's business.",
        "Test keys see test data only, and live keys live data.",
    ),
    kind("unknown_code", "404", "This referral code is unknown.", "The message names codes that are close to it."),
    kind("business_not_found", "404", "There is no business with this id.", "Copy it from the Integrations page."),
    kind(
        "product_not_found",
        "404",
        "The business has no product with this id.",
        "Copy it from the Integrations page.",
    ),
    kind(
        "method_not_allowed",
        "405",
        "The address is right, the method is not.",
        "The header `Allow` lists the methods.",
    ),
    kind("request_timeout", "408", "The body came too slowly.", "Send it again."),
    kind("archived", "409", "It is archived, and nothing new is written to it.", "Bring it back on its page first."),
    kind(
        "code_taken",
        "409",
        "The code reads the same as one that somebody has.",
        "Choose another one, or have one generated.",
    ),
    kind(
        "conflict",
        "409",
        "Another record already has a value that must be unique.",
        "Read that record, then change one of the two.",
    ),
    kind(
        "needs_another",
        "409",
        "An active code becomes an alias only when another takes its place.",
        "Give the referrer another code, or retire this one.",
    ),
    kind(
        "no_campaign",
        "409",
        "There is no campaign that the lead could belong to.",
        "Make a campaign, or give the key one.",
    ),
    kind(
        "external_id_taken",
        "409",
        "Another person has this `external_id`, or this person has another one.",
        "The message names them.",
    ),
    kind("email_taken", "409", "Another referrer has this e-mail address.", "The message names them."),
    kind("live_data", "409", "A live lead was to be deleted.", "Only test data can be; archive a live lead."),
    kind(
        "no_secret_key",
        "409",
        "The server has no key to encrypt account numbers with, or not the right one.",
        "The message says what the people who run Refdesk have to set.",
    ),
    kind("payout_state", "409", "The payout is in a state in which this cannot be done.", "The message says which."),
    kind(
        "payout_changed",
        "409",
        "The draft is not, or no longer, what was reviewed.",
        "Refresh it, review it, and send its new `fingerprint`.",
    ),
    kind("payout_empty", "409", "Nobody is in the payout.", "`left_out` says of each referrer why."),
    kind(
        "payout_format",
        "409",
        "The format does not pay by the payout's method.",
        "`csv` and `xlsx` take every method.",
    ),
    kind(
        "payout_line_unfit",
        "409",
        "A line cannot be sent in this format.",
        "The message names the referrer and what is wrong with their details.",
    ),
    kind("payout_settled", "409", "Some of its lines are paid, failed or returned.", "It cannot be undone any more."),
    kind("payout_open", "409", "Some of its lines are neither paid nor failed.", "Say what became of each first."),
    kind("payout_not_approved", "409", "A second person has to approve it first.", "Approve it with another key."),
    kind("payout_same_person", "409", "The one who locked it cannot approve it.", "Another person does."),
    kind(
        "adjustment_state",
        "409",
        "The adjustment is decided by now.",
        "To undo one that counts, add another one with the opposite sign.",
    ),
    kind(
        "adjustment_same_person",
        "409",
        "The one who made an adjustment cannot approve or refuse it.",
        "Another person does, or the one who made it withdraws it.",
    ),
    kind("adjustment_not_maker", "409", "Only the one who made an adjustment withdraws it.", "Refuse it instead."),
    kind(
        "customer_reward_held",
        "409",
        "The reward of a customer is held for some days.",
        "Wait until the hold is over, or say why it is given now.",
    ),
    kind("customer_reward_state", "409", "This cannot happen to a reward in its state.", "The message says the state."),
    kind("payout_not_set_up", "409", "Nobody made the settings of this kind of file.", "`POST /v1/payout-settings`."),
    kind("payout_not_owner", "409", "Only an owner approves payouts of this business.", "Use an owner's key."),
    kind("line_state", "409", "This cannot happen to a line in its state.", "The message says the state."),
    kind("refused", "409", "A rule of the programme forbids it.", "The message says which."),
    kind(
        "duplicate_event",
        "409",
        "This event was accepted before.",
        "The body has the ids and amounts of the first time; nothing is lost.",
    ),
    kind("idempotency_mismatch", "409", "The id was used before, for something else.", "Use a new id for a new event."),
    kind("in_progress", "409", "The same call is being worked on.", "Ask again in a moment."),
    kind(
        "origin_not_allowed",
        "403",
        "A publishable key is used on a page it is not for.",
        "Name the page's origin with the key.",
    ),
    kind(
        "commission_not_found",
        "404",
        "No commission of the business has this commissionId.",
        "Name the payment by its date or event id.",
    ),
    kind(
        "changed_meanwhile",
        "412",
        "It has changed since the version in `If-Match`, or other money would move than `seen` names.",
        "Read it again, then decide again.",
    ),
    kind("payload_too_large", "413", "The body is larger than this call takes.", "Send less at once."),
    kind("uri_too_long", "414", "The address is too long.", "Shorten the query."),
    kind(
        "unsupported_media_type",
        "415",
        "The body is of a kind that is not read here.",
        "Send `Content-Type: application/json`.",
    ),
    kind("rate_limited", "429", "Too many calls.", "Wait as many seconds as `Retry-After` says."),
    kind("headers_too_large", "431", "The headers are too large.", "Send fewer, or shorter ones."),
    kind(
        "internal_error",
        "500",
        "Something broke here; nothing was stored.",
        "Give the request's id to the people who run Refdesk.",
    ),
    kind(
        "unavailable",
        "503",
        "Refdesk cannot do it just now.",
        "Send it again after `Retry-After`; with the same id it counts once.",
    ),
];

impl ProblemKind {
    /// Its anchor on the page: the end of a problem's `type`, behind `/docs#`.
    pub fn anchor(&self) -> String {
        format!("problem-{}", self.code.replace('_', "-"))
    }
}
