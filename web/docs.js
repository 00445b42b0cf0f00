// The API's routes in Swagger UI, from this server's own description.
"use strict";

async function open() {
  const response = await fetch("/openapi.json");
  const description = await response.json();
  // Calls go to where this page came from, also when a proxy keeps the server from knowing that address.
  description.servers = [{ url: location.origin }];
  SwaggerUIBundle({
    spec: description,
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
}

open().catch(() => {
  document.getElementById("waiting").textContent = "The description of the API cannot be read just now. Please reload.";
});
