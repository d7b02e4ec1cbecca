// Nobody is signed in: what the push service brought to this browser, and still has for it, is nobody's to read.
"use strict";

(async () => {
  if (!("serviceWorker" in navigator)) return;
  for (const here of await navigator.serviceWorker.getRegistrations()) {
    for (const shown of await here.getNotifications()) shown.close();
    await (await here.pushManager?.getSubscription())?.unsubscribe();
  }
})().catch(() => {}); // the server sends nothing more in any case
