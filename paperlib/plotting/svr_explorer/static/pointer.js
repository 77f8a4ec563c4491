// Mouse, pen and touch on the drawing: point, click, drag, pinch, and the wheel with a modifier key.

// A press that moves less than this many pixels is a click.
const SLACK = 4;

/**
 * Listen on the drawing. `actions` has point(x, y), leave(), click(x, y), drag(dx, dy), zoom(factor, x, y), all in CSS
 * pixels of the drawing. A wheel without modifier is left to the page, which must stay scrollable.
 */
export function listenToPointers(stage, actions) {
  const pressed = new Map();
  let moved = false;

  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed.set(event.pointerId, { ...at(event), startX: event.clientX, startY: event.clientY });
    moved = pressed.size > 1;
  });

  stage.addEventListener("pointermove", (event) => {
    const now = at(event);
    const before = pressed.get(event.pointerId);
    if (before === undefined) {
      actions.point(now.x, now.y, event.pointerType);
      return;
    }
    if (!moved && Math.hypot(event.clientX - before.startX, event.clientY - before.startY) < SLACK) return;
    if (!moved) {
      moved = true;
      // Keeps a drag that leaves the drawing; before the slack is used up it would only take clicks from others.
      stage.setPointerCapture(event.pointerId);
    }
    if (pressed.size === 2) pinch(event.pointerId, before, now);
    else actions.drag(now.x - before.x, now.y - before.y);
    Object.assign(before, now);
  });

  function pinch(pointer, before, now) {
    const [, other] = [...pressed].find(([id]) => id !== pointer);
    const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y);
    if (distance(before) === 0) return;
    actions.zoom(distance(now) / distance(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  const release = (event) => {
    const was = pressed.delete(event.pointerId);
    if (was && !moved && event.type === "pointerup") {
      const { x, y } = at(event);
      actions.click(x, y, event.pointerType);
    }
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") actions.leave();
  });

  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { x, y } = at(event);
      // Wheels report pixels, lines or pages; a notch of any of them is about a quarter more.
      const pixels = event.deltaY * [1, 33, 400][event.deltaMode];
      actions.zoom(Math.exp(-Math.max(-200, Math.min(200, pixels)) / 450), x, y);
    },
    { passive: false },
  );
}
