import HTTP

/// `/`: the services' pages, in German.
struct IndexPage: Sendable {
  let pages: [ServicePage]

  var routes: [Route] {
    let page = Array(html.utf8)
    let style = Array(Self.style.utf8)
    return [
      Route(.get, "/", access: .everyone, info: RouteInfo("The list of the services' pages", tag: "Pages")) { _ in
        Self.answer(page, type: "text/html; charset=utf-8")
      },
      Route(.get, "/dos.css", access: .everyone, info: RouteInfo("The list's style", tag: "Pages")) { _ in Self.answer(style, type: "text/css; charset=utf-8")
      },
    ]
  }

  private static func answer(_ bytes: [UInt8], type: String) -> Response {
    Response(
      headers: [
        "Content-Type": type, "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
      ], body: .bytes(bytes))
  }

  private var html: String {
    let entries = pages.map { page in
      "<li><a href=\"\(Self.escape(page.path))\">\(Self.escape(page.title))</a><p>\(Self.escape(page.summary))</p></li>"
    }
    let list = entries.isEmpty ? "<p>Dieser Prozess hat keine Seiten.</p>" : "<ul>\n\(entries.joined(separator: "\n"))\n</ul>"
    return """
      <!DOCTYPE html>
      <html lang="de">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>DOS 2030</title>
      <link rel="stylesheet" href="/dos.css">
      </head>
      <body>
      <header><h1>DOS 2030</h1><p>Was Dortmund und Schwerte messen und entscheiden</p></header>
      <main>
      <h2>Seiten</h2>
      \(list)
      </main>
      <footer><p><a href="/health/ready">Zustand</a> · <a href="/metrics">Kennzahlen</a></p></footer>
      </body>
      </html>

      """
  }

  private static func escape(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }

  private static let style = """
    :root { color-scheme: light dark; }
    body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 0 auto; padding: 1.5rem; }
    ul { list-style: none; padding: 0; }
    li { border: 1px solid GrayText; border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; }
    li p { margin: .25rem 0 0; }
    a { font-weight: 600; }
    a:focus-visible { outline: 3px solid; outline-offset: 3px; }

    """
}
