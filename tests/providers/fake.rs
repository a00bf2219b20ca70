//! A Stripe of our own: as much of its API as Refdesk calls, with the answers and refusals of the real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

/// The one key of its live mode.
pub const LIVE_KEY: &str = "rk_live_of_the_fake_0123";

#[derive(Default)]
pub struct World {
    pub coupons: BTreeMap<String, Json>,
    /// By id.
    pub codes: BTreeMap<String, Json>,
    pub endpoints: Vec<Json>,
    /// Customers, invoices and their payments, by id.
    pub objects: BTreeMap<String, Json>,
    /// The newest first, as Stripe lists them.
    pub events: Vec<Json>,
    /// The same for other lists, by their path: `customers`, `checkout/sessions`.
    pub lists: BTreeMap<&'static str, Vec<Json>>,
    /// Pages of lists that are answered before Stripe is too busy; `None` for all.
    pub pages: Option<usize>,
    /// Every POST that was done, by its idempotency key.
    done: BTreeMap<String, (u16, Json)>,
    /// Method, path, and body or query of every call.
    pub calls: Vec<(String, String, String)>,
    /// Calls that get no answer but a 500, after they were done.
    pub lost_answers: usize,
    /// The rights that the key lacks.
    pub lacking: Vec<&'static str>,
    /// The answer to every question for a list of customers, whatever was asked.
    pub odd: Option<Json>,
    next: usize,
}

#[derive(Clone, Default)]
pub struct Fake(Arc<Mutex<World>>);

impl Fake {
    /// Starts it; answers it and its address.
    pub async fn start() -> (Self, String) {
        let fake = Self::default();
        let router = Router::new().fallback(answer).with_state(fake.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (fake, base)
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// The texts of the codes that can be used, sorted.
    pub fn active(&self) -> Vec<String> {
        self.with(|world| {
            let active = world.codes.values().filter(|code| code["active"] == true);
            let mut texts: Vec<String> = active.map(|code| code["code"].as_str().unwrap().to_owned()).collect();
            texts.sort();
            texts
        })
    }
}

async fn answer(State(fake): State<Fake>, method: Method, uri: Uri, headers: HeaderMap, request: Request) -> Response {
    let body: Bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let key = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    assert!(headers.get("stripe-version").is_some(), "every call names its version");
    let (status, json) = fake.with(|world| {
        let told = if method == Method::POST { body.clone() } else { uri.query().unwrap_or_default().to_owned() };
        world.calls.push((method.to_string(), uri.path().to_owned(), told));
        if !key.starts_with("Bearer rk_test_") && key != format!("Bearer {LIVE_KEY}") {
            return refuse(
                401,
                json!({ "message": "Invalid API Key provided: rk_live_***", "type": "invalid_request_error" }),
            );
        }
        let once = headers.get("idempotency-key").map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(once.is_some(), method == Method::POST, "a POST is done once");
        if let Some(known) = once.as_ref().and_then(|once| world.done.get(once)) {
            return known.clone();
        }
        let query = uri.query().unwrap_or_default().to_owned();
        let form = if method == Method::POST { pairs(&body) } else { pairs(&query) };
        let answer = act(world, &method, uri.path(), &form);
        if let Some(once) = once {
            world.done.insert(once, answer.clone());
        }
        if method == Method::POST && world.lost_answers > 0 {
            world.lost_answers -= 1;
            // The answer is lost, and with it, after a day, the memory of the key.
            world.done.clear();
            return refuse(500, json!({ "message": "lost", "type": "api_error" }));
        }
        answer
    });
    (StatusCode::from_u16(status).unwrap(), axum::Json(json)).into_response()
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    serde_urlencoded::from_str(text).unwrap()
}

fn refuse(status: u16, error: Json) -> (u16, Json) {
    (status, json!({ "error": error }))
}

fn invalid(message: impl Into<String>) -> (u16, Json) {
    refuse(400, json!({ "message": message.into(), "type": "invalid_request_error" }))
}

/// A list of objects, those of the seconds that are asked for.
fn made(world: &mut World, name: &str, path: &str, form: &BTreeMap<String, String>) -> (u16, Json) {
    match &mut world.pages {
        Some(0) => return refuse(429, json!({ "code": "rate_limit", "message": "Too many requests" })),
        Some(pages) => *pages -= 1,
        None => {}
    }
    let bound = |name: &str| form.get(name).map(|bound| bound.parse::<i64>().unwrap());
    let (from, to) = (bound("created[gte]"), bound("created[lte]"));
    let within = |one: &&Json| {
        let created = one["created"].as_i64().unwrap();
        from.is_none_or(|from| created >= from) && to.is_none_or(|to| created <= to)
    };
    let all = world.lists.get(name).cloned().unwrap_or_default();
    let found: Vec<Json> = all.iter().filter(within).cloned().collect();
    match form.get("starting_after") {
        Some(after) if !found.iter().any(|one| one["id"] == **after) => invalid(format!("No such {name}: '{after}'")),
        _ => list(path, found, form),
    }
}

fn list(path: &str, data: Vec<Json>, form: &BTreeMap<String, String>) -> (u16, Json) {
    let after = form.get("starting_after").and_then(|after| data.iter().position(|one| one["id"] == **after));
    let from = after.map_or(0, |at| at + 1);
    let limit: usize = form.get("limit").map_or(10, |limit| limit.parse().unwrap());
    let page: Vec<Json> = data.iter().skip(from).take(limit).cloned().collect();
    let more = data.len() > from + page.len();
    (200, json!({ "object": "list", "url": path, "has_more": more, "data": page }))
}

fn act(world: &mut World, method: &Method, path: &str, form: &BTreeMap<String, String>) -> (u16, Json) {
    let text = |name: &str| form.get(name).cloned();
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let rights = [
        ("rak_accounts_kyc_basic_read", "account"),
        ("rak_webhook_write", "webhook_endpoints"),
        ("rak_customer_read", "customers"),
    ];
    for (right, place) in rights {
        if parts[0] == place && world.lacking.contains(&right) {
            let message = format!(
                "The provided key 'rk_test_***' does not have the required permissions for this endpoint on account \
                 'acct_1'. Having the '{right}' permission would allow this request to continue."
            );
            return refuse(403, json!({ "message": message, "type": "invalid_request_error" }));
        }
    }
    if let ("customers", Some(odd)) = (parts[0], &world.odd) {
        return (200, odd.clone());
    }
    world.next += 1;
    let next = world.next;
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["account"]) => {
            let settings = json!({ "dashboard": { "display_name": "Acme Shop" } });
            (200, json!({ "id": "acct_1", "object": "account", "country": "DE", "settings": settings }))
        }
        ("POST", ["webhook_endpoints"]) => {
            if !text("url").unwrap_or_default().starts_with("http") || text("enabled_events[0]").is_none() {
                return invalid("Invalid URL");
            }
            let made = json!({
                "id": format!("we_{next}"), "object": "webhook_endpoint", "url": text("url"),
                "api_version": text("api_version"), "secret": "whsec_made_by_stripe", "status": "enabled",
            });
            world.endpoints.push(made.clone());
            (200, made)
        }
        ("POST", ["coupons"]) => {
            let id = format!("co_{next}");
            let number = |name: &str| text(name).map(|n| serde_json::from_str::<Json>(&n).unwrap());
            let made = json!({
                "id": id, "object": "coupon", "name": text("name"), "percent_off": number("percent_off"),
                "amount_off": number("amount_off"), "currency": text("currency"), "duration": text("duration"),
                "duration_in_months": number("duration_in_months"), "valid": true,
            });
            world.coupons.insert(id, made.clone());
            (200, made)
        }
        ("GET", ["coupons"]) => list(path, world.coupons.values().cloned().collect(), form),
        ("GET", ["coupons", id]) => match world.coupons.get(*id) {
            Some(coupon) => (200, coupon.clone()),
            None => refuse(404, json!({ "code": "resource_missing", "message": format!("No such coupon: '{id}'") })),
        },
        ("POST", ["promotion_codes"]) => {
            let code = text("code").unwrap();
            let same =
                |other: &Json| other["active"] == true && other["code"].as_str().unwrap().eq_ignore_ascii_case(&code);
            if world.codes.values().any(same) {
                return invalid(format!("An active promotion code with `code: {code}` already exists."));
            }
            if !world.coupons.contains_key(&text("promotion[coupon]").unwrap_or_default()) {
                return invalid("No such coupon");
            }
            let id = format!("promo_{next}");
            let made = json!({
                "id": id, "object": "promotion_code", "code": code, "active": true,
                "promotion": { "type": "coupon", "coupon": text("promotion[coupon]") },
                "max_redemptions": text("max_redemptions"), "expires_at": text("expires_at"),
                "restrictions": { "first_time_transaction": text("restrictions[first_time_transaction]"),
                    "minimum_amount": text("restrictions[minimum_amount]") },
                "metadata": { "refdesk": text("metadata[refdesk]"), "refdesk_code": text("metadata[refdesk_code]") },
            });
            world.codes.insert(id, made.clone());
            (200, made)
        }
        ("POST", ["promotion_codes", id]) => match world.codes.get_mut(*id) {
            Some(code) => {
                code["active"] = json!(text("active").as_deref() == Some("true"));
                (200, code.clone())
            }
            None => refuse(404, json!({ "code": "resource_missing", "message": "No such promotion code" })),
        },
        ("GET", ["promotion_codes", id]) => match world.codes.get(*id) {
            Some(code) => (200, code.clone()),
            None => refuse(404, json!({ "code": "resource_missing", "message": "No such promotion code" })),
        },
        ("GET", [kind @ ("customers" | "invoices"), id]) => match world.objects.get(*id) {
            Some(object) => (200, object.clone()),
            None => refuse(404, json!({ "code": "resource_missing", "message": format!("No such {kind}: {id}") })),
        },
        ("GET", ["invoice_payments"]) => {
            let wanted = text("payment[payment_intent]").unwrap();
            let found = world.objects.values().filter(|o| o["payment"]["payment_intent"] == wanted.as_str());
            let found = found.cloned().collect();
            list(path, found, form)
        }
        ("GET", ["promotion_codes"]) => {
            let wanted = |code: &&Json| {
                text("code").is_none_or(|text| code["code"].as_str().unwrap().eq_ignore_ascii_case(&text))
                    && text("active").is_none_or(|active| code["active"] == (active == "true"))
            };
            let found = world.codes.values().filter(wanted).cloned().collect();
            list(path, found, form)
        }
        ("GET", [name @ ("customers" | "invoices" | "refunds" | "disputes")]) => made(world, name, path, form),
        ("GET", ["checkout", "sessions"]) => made(world, "checkout/sessions", path, form),
        ("GET", ["events"]) => {
            let since: i64 = text("created[gte]").map_or(0, |since| since.parse().unwrap());
            let kinds: Vec<&String> = form.iter().filter(|(k, _)| k.starts_with("types[")).map(|(_, v)| v).collect();
            assert!(kinds.len() <= 20, "Stripe takes 20 kinds");
            let wanted = |event: &&Json| {
                event["created"].as_i64().unwrap() >= since && kinds.iter().any(|kind| event["type"] == **kind)
            };
            let found = world.events.iter().filter(wanted).cloned().collect();
            list(path, found, form)
        }
        _ => refuse(404, json!({ "message": format!("Unrecognized request URL ({method}: {path})") })),
    }
}
