// Wakes the explorers of a page: when one comes into view, when the address asks for it, or at the press of its
// button (readers who save data). Until then the page shows the picture that the build has drawn. Parts and data are
// scripts that register themselves in `tbExplore`, because a page opened from a folder may not read files.
(() => {
  const asked = new Map();
  const tbExplore = (window.tbExplore = {
    data: {},
    starters: {},
    load(box, name) {
      if (!asked.has(name)) {
        asked.set(
          name,
          new Promise((resolve, reject) => {
            const script = document.createElement("script");
            script.src = `${box.dataset.root}${name}.js?v=${box.dataset.version}`;
            script.async = false; // one after the other: later parts build on earlier ones
            script.onload = resolve;
            script.onerror = () => {
              asked.delete(name);
              reject(new Error("The data could not be loaded: check the connection and choose again."));
            };
            document.head.append(script);
          }),
        );
      }
      return asked.get(name);
    },
  });

  async function start(box) {
    if (box.dataset.state) return;
    box.dataset.state = "loading";
    const message = box.querySelector(".tb-explorer-message");
    message.textContent = "";
    try {
      await Promise.all(["chart", "choose", "index", box.dataset.explorer].map((name) => tbExplore.load(box, name)));
      await tbExplore.starters[box.dataset.explorer](box);
      box.querySelector("fieldset").disabled = false;
      box.querySelector(".tb-explorer-start").hidden = true;
      box.dataset.state = "ready";
    } catch (error) {
      delete box.dataset.state;
      message.textContent = error.message;
      offer(box);
    }
  }

  function offer(box) {
    const line = box.querySelector(".tb-explorer-start");
    line.hidden = false;
    line.querySelector("button").onclick = () => start(box);
  }

  document.querySelectorAll(".tb-explorer").forEach((box) => {
    const wanted = new URLSearchParams(location.search);
    if (box.dataset.parameters.split(" ").some((name) => wanted.has(name))) {
      start(box);
    } else if (navigator.connection?.saveData || !("IntersectionObserver" in window)) {
      offer(box);
    } else {
      const watcher = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          watcher.disconnect();
          start(box);
        },
        { rootMargin: "200px" },
      );
      watcher.observe(box);
    }
  });
})();
