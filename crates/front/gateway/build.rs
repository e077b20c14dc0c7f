//! Makes sure that the folder of the web application exists, so that the program builds without it (and says so).

fn main() -> std::io::Result<()> {
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../web/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    std::fs::create_dir_all(dist)
}
