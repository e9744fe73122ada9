use end_to_end::*;
#[tokio::test]
async fn smoke() {
    let system = System::start().await;
    for (kind, path) in [
        (Kind::Web, "/dashboard"),
        (Kind::Mobile, "/home"),
        (Kind::Partner, "/v1/orders?limit=2"),
        (Kind::Web, "/products/p_7"),
        (Kind::Mobile, "/products/p_7"),
        (Kind::Web, "/orders"),
        (Kind::Web, "/nope"),
        (Kind::Mobile, "/orders"),
        (Kind::Partner, "/v1/openapi.json"),
        (Kind::Partner, "/docs"),
        (Kind::Web, "/orders?x=1"),
        (Kind::Web, "/orders?cursor=nonsense"),
        (Kind::Web, "/orders/a.b"),
        (Kind::Partner, "/v1/orders?limit=0"),
    ] {
        system.shop.forget_calls().await;
        let t = std::time::Instant::now();
        let a = system.frontend(kind).get(path).await;
        println!(
            "{kind:?} {path} {} {:?} {} bytes {}",
            a.outcome(),
            t.elapsed(),
            a.body.len(),
            String::from_utf8_lossy(&a.body[..a.body.len().min(600)])
        );
        println!("{:?}\n{:?}", a.headers, system.shop.calls().await);
    }
    let a = system.frontend(Kind::Web).anonymous().get("/dashboard").await;
    println!("{a:?}");
    let a = system.frontend(Kind::Web).send("DELETE", "/orders", None).await;
    println!("{a:?}");
    let a = system.frontend(Kind::Partner).anonymous().get("/v1/orders").await;
    println!("{a:?}");
    println!("{}", system.shop.last("users", "GET /users/{id}").await);
}
