//! Who gets past the door of a call: the key, then its scope.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::idempotency;
use super::operation::{Access, Operation};
use super::problem::Problem;
use super::public;
use crate::app::App;

/// Lets a call through that may be made, with its [`Caller`] and its [`Operation`] beside it.
pub async fn admit(
    State((app, operation)): State<(App, Arc<Operation>)>,
    mut request: Request,
    next: Next,
) -> Response {
    if operation.access == Access::Publishable {
        request.extensions_mut().insert(operation);
        return public::admit(&app, request, next).await;
    }
    if operation.access != Access::Open {
        let caller = match Caller::of(&app, request.headers(), request.extensions()).await {
            Ok(caller) => caller,
            Err(error) => return Problem::from(error).into_response(),
        };
        if let Access::Scope(scope) = operation.access
            && !caller.key.may(scope)
        {
            return Problem::forbidden(format!("This API key may not do that: it lacks the scope {scope}."))
                .into_response();
        }
        request.extensions_mut().insert(caller.clone());
        if operation.once {
            let largest = operation.largest;
            request.extensions_mut().insert(operation);
            return idempotency::once(&app, &caller, largest, request, next).await;
        }
    }
    request.extensions_mut().insert(operation);
    next.run(request).await
}
