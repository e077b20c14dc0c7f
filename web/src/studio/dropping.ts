/** Whether what is dragged over the page are files, and not text or a link. */
export const hasFiles = (data: DataTransfer): boolean => data.types.includes('Files')
