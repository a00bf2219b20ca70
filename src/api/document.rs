//! The OpenAPI document, made from the table of calls and the types they read and answer.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json_, json};

use super::dialect::Dialect;
use super::operation::{Access, Answer, Operation};

/// What each contract is, for the document's tags.
const TAGS: [(Dialect, &str, &str); 4] = [
    (Dialect::Own, "Refdesk", "The desk's own API: every resource, cursor pages, problems of RFC 9457."),
    (
        Dialect::Rn,
        "Refairn events",
        "Events in the shape of Refairn's API: a program written for it works with host and key changed.",
    ),
    (Dialect::Cf, "Cashfin leads", "Leads in the shape of Cashfin's API."),
    (Dialect::Rf, "Referral Factory", "Users, qualification and campaigns in the shape of Referral Factory's API."),
];

/// The document of these calls, as served by the program at an address.
pub fn document<'o>(operations: impl Iterator<Item = &'o Operation>, server: &str) -> Json_ {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let mut paths: Map<String, Json_> = Map::new();
    for operation in operations {
        let one = described(operation, &mut schemas);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = one;
    }
    let tags: Vec<Json_> = TAGS.iter().map(|(_, name, about)| json!({ "name": name, "description": about })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Refdesk",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Who referred whom, when it counts, and what is owed for it.",
            "description": "One key works on every call, in any of three forms: `Authorization: Bearer KEY`, `Authorization: KEY`, or HTTP Basic with the key as user name. Every answer carries the header `x-request-id`.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": server }],
        "tags": tags,
        "security": [{ "bearer": [] }, { "basic": [] }, { "bare": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "`Authorization: Bearer rk_live_…`" },
                "publishable": { "type": "http", "scheme": "bearer", "description": "`Authorization: Bearer rk_pub_…`: may stand in the source of a web page." },
                "basic": { "type": "http", "scheme": "basic", "description": "The key as user name, without a password." },
                "bare": { "type": "apiKey", "in": "header", "name": "Authorization", "description": "The key alone, as clients of Cashfin send it." },
            },
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn described(operation: &Operation, schemas: &mut SchemaGenerator) -> Json_ {
    let tag = TAGS.iter().find(|(dialect, ..)| *dialect == operation.dialect).map_or("", |(_, name, _)| name);
    let mut one = json!({
        "operationId": operation.id,
        "summary": operation.title,
        "tags": [tag],
        "responses": responses(operation, schemas),
    });
    let mut about = operation.about.to_owned();
    if let Access::Scope(scope) = operation.access {
        about = format!("{about}\n\nNeeds the scope `{scope}`.").trim().to_owned();
    }
    if !about.is_empty() {
        one["description"] = json!(about);
    }
    if operation.access == Access::Open {
        one["security"] = json!([]);
    }
    if operation.access == Access::Publishable {
        one["security"] = json!([{ "publishable": [] }]);
    }
    let parameters = parameters(operation, schemas);
    if !parameters.is_empty() {
        one["parameters"] = json!(parameters);
    }
    if let Some(takes) = &operation.takes {
        let schema = (takes.schema)(schemas);
        let mut media = json!({ "schema": schema });
        if let Ok(example) = serde_json::from_str::<Json_>(takes.example) {
            media["example"] = example;
        }
        let mut content = json!({ "application/json": media });
        if takes.form {
            content["application/x-www-form-urlencoded"] = media;
        }
        one["requestBody"] = json!({ "required": true, "content": content });
    }
    one
}

fn parameters(operation: &Operation, schemas: &mut SchemaGenerator) -> Vec<Json_> {
    let in_path = operation.path_parameters.iter().map(|(name, about)| {
        json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string", "minLength": 1 } })
    });
    let mut parameters: Vec<Json_> = in_path.collect();
    for field in operation.query.map(|query| query(schemas)).unwrap_or_default() {
        let mut schema = field.schema.to_value();
        // A query has no null: what is not there is not there.
        if let Some(kind) = schema["type"].as_array().and_then(|kinds| kinds.first()).cloned() {
            schema["type"] = kind;
        }
        if let Some(words) = schema["enum"].as_array_mut() {
            words.retain(|word| !word.is_null());
        }
        parameters.push(json!({
            "name": field.name, "in": "query", "required": field.required, "description": field.about, "schema": schema,
        }));
    }
    parameters.extend(operation.headers.iter().map(|(name, about)| {
        json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } })
    }));
    parameters
}

/// Statuses that any call may be refused with.
fn refusals(operation: &Operation) -> Vec<u16> {
    let mut statuses = operation.refuses.clone();
    if operation.access != Access::Open {
        statuses.push(401);
    }
    if matches!(operation.access, Access::Scope(_)) {
        statuses.push(403);
    }
    if operation.takes.is_some() {
        statuses.extend([400, 408, 413, 415, operation.dialect.invalid()]);
    }
    if operation.query.is_some() || !operation.path_parameters.is_empty() {
        statuses.push(operation.dialect.invalid());
    }
    statuses.extend([429, 500, 503]);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> Json_ {
    let mut responses = Map::new();
    for answer in &operation.answers {
        responses.insert(answer.status.to_string(), answered(answer, schemas));
    }
    for status in refusals(operation) {
        // A 409 may have a body of its own.
        responses.entry(status.to_string()).or_insert_with(|| {
            json!({
                "description": refused_words(status),
                "content": { operation.dialect.error_type(): { "schema": operation.dialect.error_schema(schemas) } },
            })
        });
    }
    Json_::Object(responses)
}

fn answered(answer: &Answer, schemas: &mut SchemaGenerator) -> Json_ {
    let mut one = json!({ "description": answer.about });
    if let Some(schema) = answer.schema {
        let mut media = json!({ "schema": schema(schemas) });
        if let Some(example) = answer.example.and_then(|text| serde_json::from_str::<Json_>(text).ok()) {
            media["example"] = example;
        }
        one["content"] = json!({ answer.kind: media });
    }
    for (operation, parameter, pointer) in &answer.links {
        one["links"][operation] = json!({
            "operationId": operation,
            "parameters": { *parameter: format!("$response.body#{pointer}") },
        });
    }
    one
}

fn refused_words(status: u16) -> &'static str {
    match status {
        400 => "The body cannot be read, or a field is missing or wrong.",
        401 => "No key, or one that is not good.",
        403 => "The key may not do that.",
        404 => "There is no such thing in the key's business.",
        408 => "The body came too slowly.",
        409 => "It was done before, or something stands against it.",
        412 => "It has changed since it was read.",
        413 => "The body is too large.",
        415 => "The body is of a kind that is not read here.",
        422 => "A field is missing or wrong.",
        429 => "Too many calls: wait as long as Retry-After says.",
        503 => "The desk cannot do it just now: come back as Retry-After says.",
        _ => "Something broke here.",
    }
}
