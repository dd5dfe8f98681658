//! The web page, as it was built into the program.

use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::edge::Nonce;
use crate::problem::{Kind, Problem};

/// A file of the page with its compressed forms.
pub struct File {
    /// The path below the page's root.
    pub path: &'static str,
    /// The content.
    pub plain: &'static [u8],
    /// The content by gzip.
    pub gzip: Option<&'static [u8]>,
    /// The content by Brotli.
    pub brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// Answers what no other route does: a file of the page, or the page itself, which finds its way by the address.
pub async fn page(Extension(nonce): Extension<Nonce>, request: Request) -> Response {
    let path = request.uri().path();
    if ["/api/", "/agent/", "/v1/"].iter().any(|prefix| path.starts_with(prefix)) {
        return Problem::new(Kind::NotFound, format!("nothing is served at {path}")).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::of_status(StatusCode::METHOD_NOT_ALLOWED).into_response();
    }
    let name = path.trim_start_matches('/');
    match FILES.iter().find(|file| file.path == name && name != INDEX) {
        Some(file) => serve_file(file, request.headers()),
        None if is_name_of_a_file(name) => {
            Problem::new(Kind::NotFound, format!("nothing is served at {path}")).into_response()
        }
        None => index(&nonce),
    }
}

/// True if an address that no file has looks like a file's. Below `w/` are workspaces, in whose names there may be dots.
fn is_name_of_a_file(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    !name.starts_with("w/") && last.contains('.') && last != INDEX
}

/// The page with this answer's nonce, by which it may add styles.
fn index(nonce: &Nonce) -> Response {
    let Some(text) =
        FILES.iter().find(|file| file.path == INDEX).and_then(|file| std::str::from_utf8(file.plain).ok())
    else {
        let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")];
        return (headers, NO_PAGE).into_response();
    };
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (headers, text.replace("__CSP_NONCE__", nonce.text())).into_response()
}

fn serve_file(file: &File, headers: &HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts = |coding: &str| {
        accepted.split(',').any(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            name.trim().eq_ignore_ascii_case(coding) && weight.trim() != "q=0"
        })
    };
    let (bytes, coding) = match (file.brotli, file.gzip) {
        (Some(bytes), _) if accepts("br") => (bytes, Some("br")),
        (_, Some(bytes)) if accepts("gzip") => (bytes, Some("gzip")),
        _ => (file.plain, None),
    };
    // Names below assets/ have the content's digest in them.
    let caching =
        if file.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(file.path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const INDEX: &str = "index.html";
const NO_PAGE: &str = "This build of Steadfast has no web page in it. `make build` makes one with it.\n\
                       The API is at /api/v1/, described at /api/v1/openapi.json.\n";

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: File = File { path: "assets/a.js", plain: b"plain", gzip: Some(b"gz"), brotli: Some(b"br") };

    #[test]
    fn the_smallest_form_that_the_browser_reads_is_served() {
        let coding = |accepted: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            let response = serve_file(&FILE, &headers);
            response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(coding("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(coding("gzip;q=0.8, br;q=0").as_deref(), Some("gzip"));
        assert_eq!(coding("identity"), None);
    }

    #[test]
    fn a_dot_in_a_workspace_s_name_makes_it_no_file() {
        assert!(!is_name_of_a_file("w/web.example.org"));
        assert!(!is_name_of_a_file("w/web.example.org/query"));
        assert!(is_name_of_a_file("assets/missing.js"));
        assert!(is_name_of_a_file("favicon.ico"));
    }

    #[test]
    fn files_with_a_digest_in_their_name_are_kept_by_browsers() {
        let response = serve_file(&FILE, &HeaderMap::new());
        assert!(response.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(response.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    }
}
