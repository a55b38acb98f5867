// Draws the API description named by the page; a file of its own because inline scripts are refused.
const page = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: page.dataset.spec,
  domNode: page,
  deepLinking: false, // its links stand inside buttons, which screen readers cannot reach
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  persistAuthorization: false,
  validatorUrl: null,
});
