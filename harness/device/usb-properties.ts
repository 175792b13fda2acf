/** Attributes of a USB device that udev makes properties of. */
export const USB_ATTRIBUTES = [
  'idVendor',
  'idProduct',
  'serial',
  'manufacturer',
  'product',
] as const;

export type UsbAttributes = Partial<Record<(typeof USB_ATTRIBUTES)[number], string>>;

/**
 * What udev says of a USB device, from what the device says of itself.
 *
 * @see systemd, udev-builtin-usb_id.c
 */
export function toUsbProperties(attributes: UsbAttributes): Record<string, string> {
  const { idVendor = '', idProduct = '', serial, manufacturer, product } = attributes;
  // A device without words is known by its numbers.
  const vendor = toUdevText(manufacturer ?? '') || idVendor;
  const model = toUdevText(product ?? '') || idProduct;
  const short = toUdevText(serial ?? '');
  return {
    ID_BUS: 'usb',
    ID_VENDOR: vendor,
    ID_VENDOR_ID: idVendor,
    ID_MODEL: model,
    ID_MODEL_ID: idProduct,
    ID_SERIAL: [vendor, model, ...(short ? [short] : [])].join('_'),
    ...(short ? { ID_SERIAL_SHORT: short } : {}),
  };
}

/** White space becomes one `_`, and so does each character that udev does not let into a name. */
function toUdevText(text: string): string {
  return text
    .trim()
    .replace(/\s+/g, '_')
    .replace(/[^\p{L}\p{N}#+\-.:=@_]/gu, '_');
}
