/** The ink colours and fonts of the page, for canvases. */
export const inks = () => {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: { text: of('--ink'), soft: of('--soft'), accent: of('--accent'), empty: of('--sunken') },
    fonts: { mono: of('--mono'), text: of('--font') },
  };
};

/** Tells the size of an element, now and whenever it changes. @returns what ends it */
export const watchSize = (
  element: HTMLElement,
  told: (size: { readonly width: number; readonly height: number }) => void,
): (() => void) => {
  const tell = (): void => told({ width: element.clientWidth, height: element.clientHeight });
  const observer = new ResizeObserver(tell);
  observer.observe(element);
  tell();
  return () => observer.disconnect();
};

/** A canvas's context in CSS pixels, cleared; the canvas gets the pixels that the screen has. */
export const clearedContext = (
  canvas: HTMLCanvasElement,
  { width, height }: { readonly width: number; readonly height: number },
): CanvasRenderingContext2D | null => {
  const scale = devicePixelRatio;
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext('2d');
  context?.setTransform(scale, 0, 0, scale, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
};
