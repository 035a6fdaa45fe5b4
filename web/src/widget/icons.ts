/** Icons as SVG text; all are decorative and hidden from screen readers. */
const icon = (body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${body}</svg>`;

export const CHAT_ICON = icon(
  '<path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5z"/><path d="M8.5 8.75h7M8.5 11.75h4.5"/>',
);
export const CLOSE_ICON = icon('<path d="M6 6l12 12M18 6 6 18"/>');
export const SEND_ICON = icon('<path d="M12 19V5M6 11l6-6 6 6"/>');
export const CHECK_ICON = icon('<path d="m5 12.5 4.5 4.5L19 7.5"/>');
export const PLUS_ICON = icon('<path d="M12 5v14M5 12h14"/>');
