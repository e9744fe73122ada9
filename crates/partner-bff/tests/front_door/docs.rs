//! `GET /docs`.

use crate::Bff;

#[tokio::test]
async fn the_page_needs_nobody_else() {
    let bff = Bff::start().await;
    let page = bff.anonymous().get("/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    insta::assert_snapshot!(page.header("content-security-policy"), @"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

    let html = String::from_utf8(page.body).unwrap();
    assert!(!html.contains("//"), "a URL of the page has a host");
    assert!(!html.contains("<style") && !html.contains("<script>"), "the policy forbids what is inline");
    let urls = html.split(['"']).filter(|text| text.starts_with("docs/") || text.starts_with("v1/"));
    for url in urls {
        // Relative, so that it works behind any prefix: from `/partner/docs`, `docs/x` is `/partner/docs/x`.
        let answer = bff.anonymous().get(&format!("/{url}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-content-type-options")),
            (200, "nosniff"),
            "{url}"
        );
    }
}

#[tokio::test]
async fn what_it_loads_has_its_type_and_is_loaded_once() {
    let bff = Bff::start().await;
    for (file, media_type, coding) in [
        ("start.js", "text/javascript; charset=utf-8", ""),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", "gzip"),
        ("swagger-ui.css", "text/css; charset=utf-8", "gzip"),
    ] {
        let path = format!("/docs/{file}");
        let browser = bff.anonymous().with("accept-encoding", "gzip, deflate, br, zstd");
        let answer = browser.get(&path).await;
        assert_eq!((answer.header("content-type"), answer.header("content-encoding")), (media_type, coding));
        assert_eq!(answer.body.starts_with(&[0x1f, 0x8b]), coding == "gzip", "{file}");
        let again = browser.with("if-none-match", answer.header("etag")).get(&path).await;
        assert_eq!(again.status, 304, "{file}");
    }
}
