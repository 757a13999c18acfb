// Starts the interactive reference; a file of its own, because the page's policy allows no inline script.
window.ui = SwaggerUIBundle({
  url: "/schema/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
});
