#![allow(unsafe_code, clippy::all, clippy::pedantic, unused, missing_docs)]
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, AtomicBool, Ordering::SeqCst};
use std::cell::Cell;
struct A;
static N: AtomicUsize = AtomicUsize::new(0);
static ON: AtomicBool = AtomicBool::new(false);
static TRACE: AtomicBool = AtomicBool::new(false);
thread_local!{ static IN: Cell<bool> = const { Cell::new(false) }; }
unsafe impl GlobalAlloc for A {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        if ON.load(SeqCst) { N.fetch_add(1, SeqCst);
            if TRACE.load(SeqCst) && !IN.get() { IN.set(true); let b = std::backtrace::Backtrace::force_capture().to_string();
                let mut out = String::new();
                let lines: Vec<&str> = b.lines().collect();
                for w in lines.windows(2) { let f=w[0]; if f.contains("alloc::") && !f.contains("middleware") && !f.contains("axum") {continue;} if f.trim_start().starts_with("at ") {continue;} if f.contains("allocs::A")||f.contains("std::backtrace")||f.contains("__rust")||f.contains("core::ops")||f.contains("Backtrace") {continue}
                    let f = f.trim(); out.push_str(&f[..f.len().min(170)]); out.push_str("  "); out.push_str(w[1].trim()); out.push('\n'); if out.lines().count()>=7 {break} }
                eprintln!("#{} size {}\n{}", N.load(SeqCst), l.size(), out);
                IN.set(false); }
        }
        unsafe { System.alloc(l) } }
    unsafe fn dealloc(&self, p: *mut u8, l: Layout) { unsafe { System.dealloc(p, l) } }
    unsafe fn realloc(&self, p: *mut u8, l: Layout, n: usize) -> *mut u8 { if ON.load(SeqCst) && !IN.get() { N.fetch_add(1, SeqCst); if TRACE.load(SeqCst) {IN.set(true); let b = std::backtrace::Backtrace::force_capture().to_string(); let v: Vec<&str>=b.lines().filter(|l|!l.trim().starts_with("at ")&&(l.contains("middleware")||l.contains("http::")||l.contains("axum"))).take(3).collect(); eprintln!("realloc {v:?}"); IN.set(false);} } unsafe { System.realloc(p, l, n) } }
}
#[global_allocator] static G: A = A;
use axum::{Router, routing::get, body::Body};
use tower::ServiceExt; use tower::Service;
fn req() -> http::Request<Body> {
    let mut r = http::Request::get("/orders/o_17").header("accept","*/*").header("accept-encoding","gzip").header("authorization","Bearer x").header("user-agent","x").header("host","h").body(Body::empty()).unwrap();
    r.extensions_mut().insert(axum::extract::ConnectInfo(std::net::SocketAddr::from(([10,1,2,3],1))));
    r
}
async fn count(app: &Router, trace: bool) -> usize {
    for _ in 0..3 { app.clone().oneshot(req()).await.unwrap(); }
    let r = req(); let a = app.clone();
    N.store(0, SeqCst); TRACE.store(trace, SeqCst); ON.store(true, SeqCst);
    let x = a.oneshot(r).await.unwrap();
    ON.store(false, SeqCst);
    drop(x);
    N.load(SeqCst)
}
#[tokio::main(flavor="current_thread")]
async fn main() {
    let trace = std::env::args().nth(1).is_some();
    let s = middleware::RequestSettings{ trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Default::default()};
    let u: middleware::PublicUrl = serde_json::from_value("http://127.0.0.1:8080".into()).unwrap();
    let bare = Router::new().route("/orders/{id}", get(|| async { "{\"a\":1}" }));
    println!("bare {}", count(&bare, false).await);
    let full = middleware::stack(bare.clone(), &s, &u, problem::Naming::CamelCase);
    println!("stack {}", count(&full, trace).await);
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::sink).init();
    println!("stack+log {}", count(&full, false).await);
}
