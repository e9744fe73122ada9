// Draws the page. Deferred, so that the page and Swagger UI are there.
SwaggerUIBundle({
  url: "v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // It would send the document to somebody else's server.
  validatorUrl: null,
});
