//! The differences between a call and its documented shape, named before they show up as errors.

use schemars::SchemaGenerator;
use serde_json::Value as Json_;

use crate::api::dialect::Dialect;
use crate::api::object::Body;
use crate::api::operation::{Access, Operation};
use crate::id::{self, Kind};
use crate::query::pairs;

/// Something to know about a call; `tone` is bad, warning, info or good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub tone: &'static str,
    pub text: String,
}

impl Finding {
    pub fn new(tone: &'static str, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

/// The ids that a business's calls name.
#[derive(Debug, Clone)]
pub struct Own {
    pub business: String,
    /// Public id, name, test.
    pub products: Vec<(String, String, bool)>,
    pub campaigns: Vec<i64>,
    pub default_campaign: Option<i64>,
    /// True when the call is tried as test.
    pub test: bool,
}

/// A call as far as its shape goes.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'c> {
    pub method: &'c str,
    pub path: &'c str,
    pub query: &'c [(String, String)],
    pub content_type: Option<&'c str>,
    /// True when curl chose the content type by itself.
    pub kind_by_curl: bool,
    pub body: Option<&'c str>,
}

/// The name of a contract.
pub fn contract(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Rn => "Refairn's event API",
        Dialect::Cf => "Cashfin's leads API",
        Dialect::Rf => "Referral Factory's API",
        Dialect::Own => "Refdesk's own API",
    }
}

/// The call of the table that a request is.
pub fn operation<'o>(all: impl Iterator<Item = &'o Operation>, method: &str, path: &str) -> Option<&'o Operation> {
    let fits = |template: &str| {
        let (mut parts, mut asked) = (template.split('/'), path.split('/'));
        let mut exact = 0;
        loop {
            match (parts.next(), asked.next()) {
                (None, None) => return Some(exact),
                (Some(part), Some(_)) if part.starts_with('{') => {}
                (Some(part), Some(asked)) if part == asked => exact += 1,
                _ => return None,
            }
        }
    };
    let found = all.filter(|o| o.method.as_str() == method).filter_map(|o| Some((fits(o.path)?, o)));
    // /users/search is a call of its own, never a user called "search".
    found.max_by_key(|(exact, _)| *exact).map(|(_, operation)| operation)
}

/// The differences. The ids come first: they break most pasted examples.
pub fn compare(operation: Option<&Operation>, shape: Shape<'_>, own: &Own) -> Vec<Finding> {
    let mut found = Vec::new();
    let body = shape.body.and_then(|text| Body::json(text.as_bytes()));
    if let Some(body) = &body {
        ids(body, own, &mut found);
    }
    campaign_of_query(shape.query, own, &mut found);
    let form = operation.and_then(|o| o.takes.as_ref()).is_some_and(|takes| takes.form);
    kind(shape, form, operation, body.is_some(), &mut found);
    if let Some(operation) = operation {
        fields(operation, shape, body.as_ref(), &mut found);
        query(operation, shape.query, &mut found);
    }
    found
}

fn text_of(body: &Body, name: &str) -> Option<String> {
    let raw = body.raw(name)?;
    Some(serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()))
}

fn ids(body: &Body, own: &Own, found: &mut Vec<Finding>) {
    if let Some(named) = text_of(body, "businessId").filter(|named| *named != own.business) {
        let text = format!("businessId {} is not yours: yours is {}.", shortened(&named), own.business);
        found.push(Finding::new("bad", text));
    }
    if let Some(named) = text_of(body, "productId").filter(|named| !own.products.iter().any(|(id, ..)| id == named)) {
        let yours = own.product().map_or("you have none yet".to_owned(), |(id, name, _)| format!("{id} is {name}"));
        found.push(Finding::new("bad", format!("productId {} is no product of yours: {yours}.", shortened(&named))));
    }
    if let Some(named) = text_of(body, "campaign_id") {
        campaign(&named, own, found);
    }
}

fn campaign(named: &str, own: &Own, found: &mut Vec<Finding>) {
    if !own.has_campaign(named) {
        let yours = own.default_campaign.map_or("you have none yet".to_owned(), |id| format!("{id} is yours"));
        found.push(Finding::new("bad", format!("campaign_id {} is no campaign of yours: {yours}.", shortened(named))));
    }
}

fn campaign_of_query(query: &[(String, String)], own: &Own, found: &mut Vec<Finding>) {
    if let Some((_, named)) = query.iter().find(|(name, _)| name == "campaign_id") {
        campaign(named, own, found);
    }
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

impl Own {
    /// The product to try with: one of the mode, if there is one.
    pub fn product(&self) -> Option<&(String, String, bool)> {
        self.products.iter().find(|(.., test)| *test == self.test).or(self.products.first())
    }

    fn has_campaign(&self, named: &str) -> bool {
        let id = named.parse().ok().or_else(|| id::parse(Kind::Campaign, named));
        id.is_some_and(|id| self.campaigns.contains(&id))
    }

    /// A JSON body with the business's own ids in place of others; everything else stays, letter for letter.
    pub fn put_into(&self, body: &str) -> String {
        let wanted = [
            ("businessId", Some(format!("\"{}\"", self.business)), None),
            (
                "productId",
                self.product().map(|(id, ..)| format!("\"{id}\"")),
                Some(self.products.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>()),
            ),
        ];
        let mut body = body.to_owned();
        for (name, own, fine) in wanted {
            let Some(fields) = Body::json(body.as_bytes()) else { return body };
            let (Some(raw), Some(own)) = (fields.raw(name).map(str::to_owned), own) else { continue };
            let named = text_of(&fields, name).unwrap_or_default();
            if fine.is_none_or(|fine| !fine.contains(&named)) {
                body = replaced(&body, name, &raw, &own);
            }
        }
        let Some(fields) = Body::json(body.as_bytes()) else { return body };
        match (fields.raw("campaign_id"), text_of(&fields, "campaign_id"), self.default_campaign) {
            (Some(raw), Some(named), Some(own)) if !self.has_campaign(&named) => {
                replaced(&body, "campaign_id", raw, &own.to_string())
            }
            _ => body,
        }
    }
}

/// The text of a body with the value of one field exchanged.
fn replaced(body: &str, name: &str, raw: &str, new: &str) -> String {
    let quoted = format!("\"{name}\"");
    let Some(at) = body.find(&quoted).map(|at| at + quoted.len()) else { return body.to_owned() };
    let Some(value) = body[at..].find(raw).map(|value| at + value) else { return body.to_owned() };
    format!("{}{new}{}", &body[..value], &body[value + raw.len()..])
}

fn kind(shape: Shape<'_>, form: bool, operation: Option<&Operation>, is_json: bool, found: &mut Vec<Finding>) {
    let takes = operation.is_none_or(|o| o.takes.is_some());
    let csv = operation.and_then(|o| o.takes.as_ref()).is_some_and(|t| t.csv);
    let Some(body) = shape.body else {
        if operation.and_then(|o| o.takes.as_ref()).is_some_and(|t| t.required) {
            found.push(Finding::new("bad", "The call needs a body, and has none."));
        }
        return;
    };
    if !takes {
        found.push(Finding::new("info", "The call takes no body: what is sent is not read."));
        return;
    }
    let kind = shape.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_form = kind == "application/x-www-form-urlencoded";
    let json_kind = kind.is_empty() || kind.contains("json");
    if csv {
        if kind != "text/csv" {
            found.push(Finding::new("bad", "The call takes a file: add -H 'Content-Type: text/csv'."));
        }
        return;
    }
    if is_form && shape.kind_by_curl && (!form || is_json) {
        let text = "curl sends -d as application/x-www-form-urlencoded, which is refused here: add -H 'Content-Type: application/json'.";
        found.push(Finding::new("bad", text));
    } else if !(json_kind || is_form && form) {
        found.push(Finding::new(
            "bad",
            format!("The Content-Type {} is refused: send application/json.", shortened(kind)),
        ));
    }
    if json_kind && !is_json {
        found.push(Finding::new("bad", format!("The body is not a JSON object: {}.", why_no_json(body))));
    }
    if json_kind && body.contains('$') && shape.kind_by_curl {
        found.push(Finding::new("info", "Variables of your shell ($…) in the body are tried as they stand."));
    }
}

fn why_no_json(body: &str) -> String {
    match serde_json::from_str::<Json_>(body) {
        Err(error) => error.to_string(),
        Ok(_) => "it is another kind of value".to_owned(),
    }
}

/// The fields of the documented body: name, whether it has to be there. And whether others are refused.
fn documented(operation: &Operation) -> Option<(Vec<(String, bool)>, bool)> {
    let mut schemas = SchemaGenerator::default();
    let schema = (operation.takes.as_ref()?.schema)(&mut schemas).to_value();
    let definitions = schemas.take_definitions(true);
    let schema = match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => definitions.get(name)?.clone(),
        None => schema,
    };
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let fields = schema["properties"].as_object()?.keys().map(|name| (name.clone(), required(name))).collect();
    Some((fields, schema["additionalProperties"] == Json_::Bool(false)))
}

fn fields(operation: &Operation, shape: Shape<'_>, body: Option<&Body>, found: &mut Vec<Finding>) {
    let Some((fields, strict)) = documented(operation) else { return };
    let form;
    let body = match (body, shape.body) {
        (Some(body), _) => body,
        (None, Some(text)) if operation.takes.as_ref().is_some_and(|t| t.form) => {
            form = Body::text(pairs(text));
            &form
        }
        _ => return,
    };
    let mut sent = body.names();
    sent.sort_unstable();
    let missing: Vec<&str> = fields
        .iter()
        .filter(|(name, required)| *required && !sent.contains(&name.as_str()))
        .map(|(name, _)| name.as_str())
        .collect();
    if !missing.is_empty() {
        found.push(Finding::new("bad", format!("Missing: {}.", missing.join(", "))));
    }
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    for name in sent.into_iter().filter(|name| !names.contains(name)) {
        let meant = meant(name, &names).map(|meant| format!(" {meant} is."));
        let (tone, what) = if strict {
            ("bad", "is refused: it is not a field of this call.")
        } else {
            ("warning", "is not read here: it is ignored.")
        };
        found.push(Finding::new(tone, format!("{} {what}{}", shortened(name), meant.unwrap_or_default())));
    }
}

/// The documented name that differs only in how it is written.
fn meant<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    names.iter().copied().find(|known| plain(known) == plain(name))
}

fn query(operation: &Operation, query: &[(String, String)], found: &mut Vec<Finding>) {
    let known: Vec<&str> = match operation.query {
        Some(described) => described(&mut SchemaGenerator::default()).iter().map(|field| field.name).collect(),
        None => Vec::new(),
    };
    for (name, _) in query.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        found.push(Finding::new("warning", format!("{} is not a parameter of this call.", shortened(name))));
    }
}

/// The missing scope of the person's own key.
pub fn lacks<'o>(operation: Option<&'o Operation>, scopes: &str) -> Option<&'o str> {
    match operation?.access {
        Access::Scope(scope) if !scopes.split(' ').any(|held| held == scope) => Some(scope),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::events::CustomerCreated;

    fn own() -> Own {
        Own {
            business: "business_own".into(),
            products: vec![("product_live".into(), "Pro".into(), false), ("product_test".into(), "Try".into(), true)],
            campaigns: vec![1001],
            default_campaign: Some(1001),
            test: false,
        }
    }

    fn event() -> Operation {
        Operation::post("/api/events/customer-created", "customerCreated", "A customer signed up")
            .takes::<CustomerCreated>("{}")
    }

    fn said(operation: &Operation, body: &str, kind: Option<&str>, by_curl: bool) -> Vec<String> {
        let query = [("page".to_owned(), "1".to_owned())];
        let shape = Shape {
            method: "POST",
            path: operation.path,
            query: &query,
            content_type: kind,
            kind_by_curl: by_curl,
            body: Some(body),
        };
        compare(Some(operation), shape, &own()).into_iter().map(|f| format!("{}: {}", f.tone, f.text)).collect()
    }

    #[test]
    fn what_differs_from_the_documented_shape_is_said() {
        let body = r#"{"businessId": "business_theirs", "productId": "product_live", "customerName": "A", "customer_email": "a@b.example", "plan": 1}"#;
        assert_eq!(
            said(&event(), body, Some("application/x-www-form-urlencoded"), true),
            [
                "bad: businessId business_theirs is not yours: yours is business_own.",
                "bad: curl sends -d as application/x-www-form-urlencoded, which is refused here: add -H 'Content-Type: application/json'.",
                "bad: Missing: customerEmail.",
                "warning: customer_email is not read here: it is ignored. customerEmail is.",
                "warning: plan is not read here: it is ignored.",
                "warning: page is not a parameter of this call.",
            ]
        );
        let broken = said(&event(), "{\"a\": }", Some("application/json"), false);
        assert!(broken[0].starts_with("bad: The body is not a JSON object: expected value at line 1"), "{broken:?}");
    }

    #[test]
    fn ones_own_ids_are_put_in_and_nothing_else_changes() {
        let body =
            "{ \"businessId\" : \"business_1\",\n \"productId\":\"product_x\", \"amount\": 20.00, \"campaign_id\": 7 }";
        let expected = "{ \"businessId\" : \"business_own\",\n \"productId\":\"product_live\", \"amount\": 20.00, \"campaign_id\": 1001 }";
        assert_eq!(own().put_into(body), expected);
        assert_eq!(own().put_into(expected), expected);
        let test = Own { test: true, ..own() };
        assert!(test.put_into(body).contains("product_test"));
        for text in ["", "[]", "{", "{\"businessId\": null}", "{\"a\": \"businessId\"}"] {
            assert_eq!(own().put_into(text), text);
        }
    }

    #[test]
    fn the_most_exact_call_is_found() {
        let all = [
            Operation::get("/api/v2/users/{id}", "getUser", ""),
            Operation::get("/api/v2/users/search", "searchUsers", ""),
            Operation::put("/api/v2/users/qualification", "qualify", ""),
        ];
        let found = |method: &str, path: &str| operation(all.iter(), method, path).map(|o| o.id);
        assert_eq!(found("GET", "/api/v2/users/search"), Some("searchUsers"));
        assert_eq!(found("GET", "/api/v2/users/7"), Some("getUser"));
        assert_eq!(found("POST", "/api/v2/users/7"), None);
        assert_eq!(found("GET", "/api/v2/users/7/more"), None);
    }
}
