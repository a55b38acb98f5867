// Draws the API description named by the page; a file of its own because inline scripts are refused.
const page = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: page.dataset.spec,
  domNode: page,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  persistAuthorization: false,
  validatorUrl: null,
});
