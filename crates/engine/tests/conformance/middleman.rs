//! A broken way between a connector and its vendor: it hides a refusal or a torn
//! body behind an answer that looks like the end of the list, as a connector does
//! that swallows failures.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::item::Item;

/// Stands before a simulator of Tripletex.
pub(crate) struct Middleman {
    base_url: String,
}

struct Way {
    /// Scheme, host and port of the simulator.
    origin: String,
    hides: Item,
    client: reqwest::Client,
}

impl Middleman {
    /// For the defects that lie on the way; none for the others.
    pub(crate) async fn of(hides: Item, base_url: &str) -> Option<Self> {
        let lies_on_the_way = matches!(
            hides,
            Item::Throttling | Item::ExpiredToken | Item::ServerError | Item::TruncatedBody
        );
        if !lies_on_the_way {
            return None;
        }
        let behind_scheme = base_url.find("://").unwrap() + 3;
        let path_at = behind_scheme + base_url[behind_scheme..].find('/').unwrap();
        let (origin, path) = base_url.split_at(path_at);
        let way = Arc::new(Way {
            origin: origin.to_owned(),
            hides,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(way);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Some(Self {
            base_url: format!("http://{address}{path}"),
        })
    }

    pub(crate) fn base_url(&self) -> String {
        self.base_url.clone()
    }
}

async fn pass(State(way): State<Arc<Way>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().unwrap().as_str();
    let mut sent = way
        .client
        .request(parts.method.clone(), format!("{}{target}", way.origin));
    for (name, value) in &parts.headers {
        if name != header::HOST && name != header::CONTENT_LENGTH {
            sent = sent.header(name, value);
        }
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let answer = sent.body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let whole = answer.bytes().await.ok();
    let is_json = |bytes: &axum::body::Bytes| serde_json::from_slice::<Value>(bytes).is_ok();
    let hidden = parts.method == "GET"
        && match way.hides {
            Item::Throttling => status == StatusCode::TOO_MANY_REQUESTS,
            Item::ExpiredToken => status == StatusCode::UNAUTHORIZED,
            Item::ServerError => status == StatusCode::INTERNAL_SERVER_ERROR,
            _ => status == StatusCode::OK && !whole.as_ref().is_some_and(is_json),
        };
    if hidden {
        return answered(StatusCode::OK, end_of_list(&parts.uri).to_string().into());
    }
    let mut response = answered(status, whole.unwrap_or_default());
    for (name, value) in &headers {
        let is_of_the_body = name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING;
        if !is_of_the_body {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn answered(status: StatusCode, body: axum::body::Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    response
}

/// An empty page that says that there were as many rows as pages before it had.
fn end_of_list(uri: &axum::http::Uri) -> Value {
    let from: u64 = (uri.query().unwrap_or_default().split('&'))
        .find_map(|pair| pair.strip_prefix("from=")?.parse().ok())
        .unwrap_or_default();
    json!({
        "fullResultSize": from, "from": from, "count": 0, "versionDigest": "", "values": [],
    })
}
