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

// Swagger UI is dark by a class of the page, not by the setting of the system.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

open().catch(() => {
  document.getElementById("waiting").textContent = "The description of the API cannot be read just now. Please reload.";
});
