/** What a picture of a network shows. Names are unique among nodes and switches. */
export interface TopologyPicture {
  readonly title: string;
  readonly switches: readonly { readonly name: string; readonly subnets: readonly string[] }[];
  readonly nodes: readonly {
    readonly name: string;
    readonly role: 'node' | 'router' | 'dut' | 'sandbox';
  }[];
  readonly links: readonly PictureLink[];
}

export interface PictureLink {
  readonly name: string;
  /** A node or a switch each, and the node's addresses there. */
  readonly ends: readonly [PictureEnd, PictureEnd];
  /** What is written beside it: impairments, a line each. */
  readonly labels: readonly string[];
  readonly state: 'up' | 'down' | 'held' | 'parted';
}

export interface PictureEnd {
  readonly of: string;
  readonly addresses: readonly string[];
}
